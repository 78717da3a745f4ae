"""The kinds of steps and triggers there are, as enums: one member a card."""

from __future__ import annotations

from schema.enums import words
from workflows import step, trigger

StepKind = words("StepKind", "What a step does.", *(kind.upper() for kind in step.kinds()))
TriggerKind = words("TriggerKind", "What lets contacts in.", *(kind.upper() for kind in trigger.kinds()))
