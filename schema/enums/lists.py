"""How contacts stand on lists, and who is in lists, segments and out of both, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

ListKind = words(
    "ListKind",
    "Who is on a list: who agreed to get mail by it, whoever was put on it by hand, or whoever meets its rule.",
    "MAILING",
    "STATIC",
    "SMART",
)
Channel = words("Channel", "By what a list is reached.", "EMAIL", "SMS")
MembershipStatus = words(
    "MembershipStatus", "How a contact stands on a list.", "ACTIVE", "UNCONFIRMED", "UNSUBSCRIBED", "BOUNCED"
)
MembershipSource = words(
    "MembershipSource", "Who made a membership what it is.", "CONTACT", "MANUAL", "AUTOMATION", "UNKNOWN"
)
SegmentKind = words(
    "SegmentKind",
    "Who made a segment: always there by engagement, always there by what contacts are to us, or made by a user.",
    "PREBUILT",
    "SMART",
    "USER",
)
ExclusionKind = words(
    "ExclusionKind", "How an address is recognised, whatever its case.", "EXACTLY", "BEGINS_WITH", "ENDS_WITH"
)
