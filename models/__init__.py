"""What is stored: one file a noun. Nothing happens here."""

from models.access_token import AccessToken
from models.account import Account
from models.automation import Automation
from models.automation_step import AutomationStep
from models.automation_version import AutomationVersion
from models.company import Company
from models.contact import Contact
from models.contact_list import ContactList
from models.contact_tag import ContactTag
from models.event import Event
from models.field import Field
from models.field_value import FieldValue
from models.import_job import ImportJob
from models.import_problem import ImportProblem
from models.membership import Membership
from models.note import Note
from models.pending_event import PendingEvent
from models.run import Run
from models.run_count import RunCount
from models.tag import Tag
from models.task import Task
from models.trigger import Trigger
from models.user_account import UserAccount
from models.visit import Visit
from models.visit_count import VisitCount

__all__ = [
    "AccessToken",
    "Account",
    "Automation",
    "AutomationStep",
    "AutomationVersion",
    "Company",
    "Contact",
    "ContactList",
    "ContactTag",
    "Event",
    "Field",
    "FieldValue",
    "ImportJob",
    "ImportProblem",
    "Membership",
    "Note",
    "PendingEvent",
    "Run",
    "RunCount",
    "Tag",
    "Task",
    "Trigger",
    "UserAccount",
    "Visit",
    "VisitCount",
]
