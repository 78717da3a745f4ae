"""The kinds of steps and triggers there are, as enums: one member a card."""

from __future__ import annotations

from schema.enums.words import words
from services import form_action
from workflows import step, trigger

StepKind = words("StepKind", "What a step does.", *(kind.upper() for kind in step.kinds()))
TriggerKind = words("TriggerKind", "What lets contacts in.", *(kind.upper() for kind in trigger.kinds()))
FormActionKind = words("FormActionKind", "What a form does.", *(kind.upper() for kind in form_action.kinds()))
