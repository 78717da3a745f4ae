"""What is stored: one file a noun. Nothing happens here."""

from models.access_token import AccessToken
from models.account import Account
from models.audit_entry import AuditEntry
from models.automation import Automation
from models.automation_step import AutomationStep
from models.automation_version import AutomationVersion
from models.company import Company
from models.confirmation import Confirmation
from models.contact import Contact
from models.contact_list import ContactList
from models.contact_merge import ContactMerge
from models.contact_score import ContactScore
from models.contact_tag import ContactTag
from models.contact_total import ContactTotal
from models.customer_account import CustomerAccount
from models.donation import Donation
from models.event import Event
from models.exclusion import Exclusion
from models.field import Field
from models.field_group import FieldGroup
from models.field_value import FieldValue
from models.form import Form
from models.form_submission import FormSubmission
from models.import_job import ImportJob
from models.import_problem import ImportProblem
from models.lifecycle_entry import LifecycleEntry
from models.membership import Membership
from models.membership_change import MembershipChange
from models.note import Note
from models.pending_event import PendingEvent
from models.plan import Plan
from models.plan_membership import PlanMembership
from models.refused_entry import RefusedEntry
from models.review import Review
from models.run import Run
from models.run_count import RunCount
from models.score import Score
from models.score_award import ScoreAward
from models.score_rule import ScoreRule
from models.segment import Segment
from models.shop_order import ShopOrder
from models.suppression import Suppression
from models.tag import Tag
from models.task import Task
from models.trigger import Trigger
from models.user_account import UserAccount
from models.visit import Visit
from models.visit_count import VisitCount

__all__ = [
    "AccessToken",
    "Account",
    "AuditEntry",
    "Automation",
    "AutomationStep",
    "AutomationVersion",
    "Company",
    "Confirmation",
    "Contact",
    "ContactList",
    "ContactMerge",
    "ContactScore",
    "ContactTag",
    "ContactTotal",
    "CustomerAccount",
    "Donation",
    "Event",
    "Exclusion",
    "Field",
    "FieldGroup",
    "FieldValue",
    "Form",
    "FormSubmission",
    "ImportJob",
    "ImportProblem",
    "LifecycleEntry",
    "Membership",
    "MembershipChange",
    "Note",
    "PendingEvent",
    "Plan",
    "PlanMembership",
    "RefusedEntry",
    "Review",
    "Run",
    "RunCount",
    "Score",
    "ScoreAward",
    "ScoreRule",
    "Segment",
    "ShopOrder",
    "Suppression",
    "Tag",
    "Task",
    "Trigger",
    "UserAccount",
    "Visit",
    "VisitCount",
]
