"""What is stored: one file a noun. Nothing happens here."""

from models.access_token import AccessToken
from models.account import Account
from models.audit_entry import AuditEntry
from models.automation import Automation
from models.automation_step import AutomationStep
from models.automation_version import AutomationVersion
from models.campaign import Campaign
from models.campaign_piece import CampaignPiece
from models.company import Company
from models.complaint import Complaint
from models.confirmation import Confirmation
from models.contact import Contact
from models.contact_list import ContactList
from models.contact_merge import ContactMerge
from models.contact_score import ContactScore
from models.contact_tag import ContactTag
from models.contact_total import ContactTotal
from models.customer_account import CustomerAccount
from models.delivery import Delivery
from models.donation import Donation
from models.email_count import EmailCount
from models.email_event import EmailEvent
from models.email_send import EmailSend
from models.engagement import Engagement
from models.engagement_change import EngagementChange
from models.event import Event
from models.exclusion import Exclusion
from models.field import Field
from models.field_group import FieldGroup
from models.field_value import FieldValue
from models.first_visit import FirstVisit
from models.form import Form
from models.form_submission import FormSubmission
from models.idempotent_answer import IdempotentAnswer
from models.import_job import ImportJob
from models.import_preview import ImportPreview
from models.import_problem import ImportProblem
from models.invariant_check import InvariantCheck
from models.job import Job
from models.job_lease import JobLease
from models.job_piece import JobPiece
from models.job_result import JobResult
from models.lifecycle_entry import LifecycleEntry
from models.membership import Membership
from models.membership_change import MembershipChange
from models.message import Message
from models.note import Note
from models.notification import Notification
from models.page_visit import PageVisit
from models.pending_event import PendingEvent
from models.plan import Plan
from models.plan_membership import PlanMembership
from models.previewed_person import PreviewedPerson
from models.refused_entry import RefusedEntry
from models.report_week import ReportWeek
from models.review import Review
from models.run import Run
from models.run_count import RunCount
from models.saved_view import SavedView
from models.score import Score
from models.score_award import ScoreAward
from models.score_rule import ScoreRule
from models.segment import Segment
from models.shop_order import ShopOrder
from models.site import Site
from models.split import Split
from models.split_path import SplitPath
from models.stored_chunk import StoredChunk
from models.stored_file import StoredFile
from models.suppression import Suppression
from models.sync_batch import SyncBatch
from models.sync_source import SyncSource
from models.tag import Tag
from models.task import Task
from models.touched_contact import TouchedContact
from models.tracked_event import TrackedEvent
from models.trigger import Trigger
from models.user_account import UserAccount
from models.visit import Visit
from models.visit_count import VisitCount
from models.visitor import Visitor
from models.watch import Watch
from models.watch_flip import WatchFlip
from models.watch_lease import WatchLease
from models.watch_member import WatchMember
from models.webhook import Webhook
from models.webhook_fact import WebhookFact
from models.weekly_report import WeeklyReport

__all__ = [
    "AccessToken",
    "Account",
    "AuditEntry",
    "Automation",
    "AutomationStep",
    "AutomationVersion",
    "Campaign",
    "CampaignPiece",
    "Company",
    "Complaint",
    "Confirmation",
    "Contact",
    "ContactList",
    "ContactMerge",
    "ContactScore",
    "ContactTag",
    "ContactTotal",
    "CustomerAccount",
    "Delivery",
    "Donation",
    "EmailCount",
    "EmailEvent",
    "EmailSend",
    "Engagement",
    "EngagementChange",
    "Event",
    "Exclusion",
    "Field",
    "FieldGroup",
    "FieldValue",
    "FirstVisit",
    "Form",
    "FormSubmission",
    "IdempotentAnswer",
    "ImportJob",
    "ImportPreview",
    "ImportProblem",
    "InvariantCheck",
    "Job",
    "JobLease",
    "JobPiece",
    "JobResult",
    "LifecycleEntry",
    "Membership",
    "MembershipChange",
    "Message",
    "Note",
    "Notification",
    "PageVisit",
    "PendingEvent",
    "Plan",
    "PlanMembership",
    "PreviewedPerson",
    "RefusedEntry",
    "ReportWeek",
    "Review",
    "Run",
    "RunCount",
    "SavedView",
    "Score",
    "ScoreAward",
    "ScoreRule",
    "Segment",
    "ShopOrder",
    "Site",
    "Split",
    "SplitPath",
    "StoredChunk",
    "StoredFile",
    "Suppression",
    "SyncBatch",
    "SyncSource",
    "Tag",
    "Task",
    "TouchedContact",
    "TrackedEvent",
    "Trigger",
    "UserAccount",
    "Visit",
    "VisitCount",
    "Visitor",
    "Watch",
    "WatchFlip",
    "WatchLease",
    "WatchMember",
    "Webhook",
    "WebhookFact",
    "WeeklyReport",
]
