"""What every contact has: the built-in attributes that rules can ask about, and where they lie."""

from __future__ import annotations

from enum import Enum

from kit.sql import Sql
from segments.dates import InstantType
from segments.places import Place, PlaceElsewhere
from segments.values import BooleanType, OptionType, PhoneType, StageType, TextType

CONTACT_KINDS = ("EMAIL_ONLY", "PHONE_ONLY", "EMAIL_AND_PHONE")
STAGES = ("SUBSCRIBER", "LEAD", "MQL", "SQL", "OPPORTUNITY", "CUSTOMER", "EVANGELIST", "OTHER")  # the last has no place

KIND = Sql(
    "CASE WHEN c.email IS NULL THEN 'PHONE_ONLY' WHEN c.phone IS NULL THEN 'EMAIL_ONLY' ELSE 'EMAIL_AND_PHONE' END"
)
ACCEPTS_MARKETING = Sql(  # SQ11: the box of a form, or a list
    """(c.marketing_opt_in_at IS NOT NULL
    OR EXISTS (
        SELECT FROM membership m JOIN contact_list l ON l.id = m.list_id
        WHERE m.contact_id = c.id AND m.status = 'ACTIVE' AND l.kind = 'MAILING'
    ))"""
)


class ContactAttribute(Enum):
    """A built-in attribute of a contact."""

    EMAIL = "EMAIL"
    EMAIL_DOMAIN = "EMAIL_DOMAIN"
    PHONE = "PHONE"
    FIRST_NAME = "FIRST_NAME"
    LAST_NAME = "LAST_NAME"
    FULL_NAME = "FULL_NAME"
    JOB_TITLE = "JOB_TITLE"
    COMPANY = "COMPANY"
    KIND = "KIND"
    LIFECYCLE_STAGE = "LIFECYCLE_STAGE"
    ORIGIN = "ORIGIN"
    ACCEPTS_MARKETING = "ACCEPTS_MARKETING"
    HAS_ACCOUNT = "HAS_ACCOUNT"
    IS_CUSTOMER = "IS_CUSTOMER"
    IS_MEMBER = "IS_MEMBER"
    IS_DONOR = "IS_DONOR"
    TIMEZONE = "TIMEZONE"
    REFERRER = "REFERRER"
    UTM_SOURCE = "UTM_SOURCE"
    UTM_MEDIUM = "UTM_MEDIUM"
    UTM_CAMPAIGN = "UTM_CAMPAIGN"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"


def _total(test: str) -> Sql:
    """Whether what the contact bought, gave and joined is such."""
    return Sql("(EXISTS (SELECT FROM contact_total tt WHERE tt.contact_id = c.id AND {test}))", test=Sql(test))


def _came(column: str) -> PlaceElsewhere:
    """From where the contact came: something of its first visit."""
    return PlaceElsewhere(_TEXT, Sql(column), row=Sql("FROM first_visit fv WHERE fv.contact_id = c.id"))


_TEXT = TextType()
PLACES: dict[ContactAttribute, Place] = {
    ContactAttribute.EMAIL: Place(_TEXT, Sql("c.email")),
    ContactAttribute.EMAIL_DOMAIN: Place(_TEXT, Sql("split_part(c.email, '@', -1)")),
    ContactAttribute.PHONE: Place(PhoneType(), Sql("c.phone")),
    ContactAttribute.FIRST_NAME: Place(_TEXT, Sql("c.first_name")),
    ContactAttribute.LAST_NAME: Place(_TEXT, Sql("c.last_name")),
    ContactAttribute.FULL_NAME: Place(_TEXT, Sql("c.full_name")),
    ContactAttribute.JOB_TITLE: Place(_TEXT, Sql("c.job_title")),
    ContactAttribute.COMPANY: PlaceElsewhere(
        _TEXT, Sql("co.name"), row=Sql("FROM company co WHERE co.id = c.company_id")
    ),
    ContactAttribute.KIND: Place(OptionType(CONTACT_KINDS), KIND, never_null=True),
    ContactAttribute.LIFECYCLE_STAGE: Place(
        StageType(STAGES, ordered=len(STAGES) - 1), Sql("c.lifecycle_stage"), never_null=True
    ),
    ContactAttribute.ORIGIN: Place(OptionType(), Sql("c.origin"), never_null=True),
    ContactAttribute.ACCEPTS_MARKETING: Place(BooleanType(), ACCEPTS_MARKETING, never_null=True),
    ContactAttribute.HAS_ACCOUNT: Place(BooleanType(), Sql("c.has_account"), never_null=True),
    ContactAttribute.IS_CUSTOMER: Place(BooleanType(), _total("tt.order_count > 0"), never_null=True),
    ContactAttribute.IS_MEMBER: Place(BooleanType(), _total("tt.member_since IS NOT NULL"), never_null=True),
    ContactAttribute.IS_DONOR: Place(BooleanType(), _total("tt.gift_count > 0"), never_null=True),
    ContactAttribute.TIMEZONE: Place(_TEXT, Sql("c.timezone")),
    ContactAttribute.REFERRER: _came("fv.referrer"),
    ContactAttribute.UTM_SOURCE: _came("fv.utm_source"),
    ContactAttribute.UTM_MEDIUM: _came("fv.utm_medium"),
    ContactAttribute.UTM_CAMPAIGN: _came("fv.utm_campaign"),
    ContactAttribute.CREATED_AT: Place(InstantType(), Sql("c.created_at"), never_null=True),
    ContactAttribute.UPDATED_AT: Place(InstantType(), Sql("c.updated_at"), never_null=True),
}
WORDS = {
    ContactAttribute.EMAIL: "e-mail",
    ContactAttribute.EMAIL_DOMAIN: "e-mail domain",
    ContactAttribute.ACCEPTS_MARKETING: "consent to marketing",
    ContactAttribute.HAS_ACCOUNT: "having an account",
    ContactAttribute.IS_CUSTOMER: "being a customer",
    ContactAttribute.IS_MEMBER: "being a member",
    ContactAttribute.IS_DONOR: "being a donor",
    ContactAttribute.TIMEZONE: "time zone",
    ContactAttribute.REFERRER: "first referrer",
    ContactAttribute.UTM_SOURCE: "first UTM source",
    ContactAttribute.UTM_MEDIUM: "first UTM medium",
    ContactAttribute.UTM_CAMPAIGN: "first UTM campaign",
    ContactAttribute.CREATED_AT: "creation",
    ContactAttribute.UPDATED_AT: "latest change",
}
