"""What leaves the house and what becomes of it, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

DeliveryChannel = words("DeliveryChannel", "The way in which something leaves the house.", "EMAIL", "SMS", "WEBHOOK")
DeliveryOrigin = words(
    "DeliveryOrigin",
    "What asked for it: a step for the contact, a campaign, a person; a notice to the team, a test, another server.",
    "AUTOMATION",
    "CAMPAIGN",
    "PERSONAL",
    "NOTICE",
    "TEST",
    "HOOK",
)
DeliveryStatus = words(
    "DeliveryStatus",
    "Where it stands. DATA: it is being handed over, and not sent again by itself. UNKNOWN: it was cut off there. "
    "SUPPRESSED: by then it must not go out any more.",
    "QUEUED",
    "SENDING",
    "DATA",
    "SENT",
    "FAILED",
    "UNKNOWN",
    "SUPPRESSED",
)
CampaignStatus = words(
    "CampaignStatus",
    "Where a campaign stands: it waits for its instant, it goes out, it was held up, everybody's turn has come.",
    *("DRAFT", "SCHEDULED", "SENDING", "PAUSED", "SENT", "CANCELLED"),
)
CampaignAudience = words(
    "CampaignAudience",
    "Who is meant where a campaign has lists and a segment: who is on a list or in the segment, or only who is both.",
    *("EITHER", "BOTH"),
)
CampaignStop = words(
    "CampaignStop",
    "Why a campaign paused by itself: too many addresses that do not exist, or too many who called it spam.",
    *("BOUNCES", "COMPLAINTS"),
)
EmailOrigin = words(
    "EmailOrigin", "Why an e-mail was sent; only marketing counts.", "CAMPAIGN", "AUTOMATION", "PERSONAL", "OTHER"
)
EmailEventKind = words(
    "EmailEventKind",
    "What happened to an e-mail; COMPLAINED: it was called spam.",
    "SENT",
    "OPENED",
    "CLICKED",
    "REPLIED",
    "FORWARDED",
    "BOUNCED",
    "COMPLAINED",
)
EmailEventResult = words(
    "EmailEventResult",
    "What became of an event that was told: written down, known already, or refused.",
    "RECORDED",
    "DUPLICATE",
    "REFUSED",
)
