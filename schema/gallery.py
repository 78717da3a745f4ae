"""The gallery: ready-made automations that ask a few questions."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry
from strawberry.types import Info

from kit.card import Ref
from kit.shape import Parameter, parameters
from schema.access import Role, reader
from schema.cards import description_of
from schema.enums.words import words
from schema.mutation import Given, mutation
from schema.scalars import JSON
from schema.types.automation import Automation
from services.caller import Caller
from workflows import template
from workflows.template import Template

AutomationTemplateKind = words(
    "AutomationTemplateKind", "Which ready-made automation.", *(kind.upper() for kind in template.kinds())
)
_TYPES = {str: "TEXT", int: "NUMBER", float: "NUMBER", Decimal: "NUMBER", bool: "BOOLEAN"}


@strawberry.type(description="A question that a template asks.")
class TemplateParameter:
    name: str = strawberry.field(description="Its key in `parameters`.")
    type: str = strawberry.field(description="TEXT NUMBER BOOLEAN, or what it names: LIST TAG FIELD FORM USER SCORE.")
    required: bool
    default: JSON | None


@strawberry.type(description="A ready-made automation.")
class AutomationTemplate:
    kind: AutomationTemplateKind
    title: str
    description: str
    parameters: list[TemplateParameter]


@strawberry.input(description="`parameters` is an object with an answer for every question that needs one.")
class CreateAutomationFromTemplateInput:
    template: AutomationTemplateKind
    name: str | None = strawberry.UNSET
    parameters: JSON | None = strawberry.UNSET


def _shown(kind: str, of: type[Template]) -> AutomationTemplate:
    return AutomationTemplate(
        kind=AutomationTemplateKind[kind.upper()],
        title=of.title,
        description=description_of(of),
        parameters=[
            TemplateParameter(name=each.key, type=_type(each), required=each.required, default=_default(each))
            for each in parameters(of)
        ],
    )


def _type(parameter: Parameter) -> str:
    ref = parameter.shape.mark(Ref)
    return ref.kind.upper() if ref is not None else _TYPES.get(parameter.shape.base, "TEXT")


def _default(parameter: Parameter) -> Any:
    return parameter.default.name if isinstance(parameter.default, Enum) else parameter.default


@strawberry.type
class Query:
    @strawberry.field(description="What automations can be made of.")
    async def automation_templates(self, info: Info) -> list[AutomationTemplate]:
        reader(info)
        return [_shown(kind, of) for kind, of in template.kinds().items()]


@strawberry.type
class Mutation:
    @mutation(
        CreateAutomationFromTemplateInput,
        role=Role.ADMIN,
        description="Make an automation of a template; INACTIVE at first, and then like any other.",
        automation=Automation,
    )
    async def create_automation_from_template(given: Given, by: Caller) -> dict:
        parameters = given.get("parameters") or {}
        made = await template.create(given["template"].lower(), given.get("name"), parameters, by=by)
        return {"automation": made}
