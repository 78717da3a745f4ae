"""What is told by a website and its forms, in fixed words."""

from __future__ import annotations

from schema.enums.words import words

Device = words("Device", "On what somebody looks at pages.", "DESKTOP", "MOBILE", "TABLET")
SubmissionOutcome = words(
    "SubmissionOutcome",
    "What became of what was sent with a form: a contact was made or changed; a machine sent it; a limit kept it out.",
    "CREATED",
    "UPDATED",
    "SPAM",
    "REFUSED",
)
