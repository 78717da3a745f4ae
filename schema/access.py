"""Who may do what: each operation names the lowest role that may use it."""

from __future__ import annotations

from graphql import GraphQLResolveInfo
from strawberry.types import Info

from kit.errors import NotAllowed, Problem
from services.caller import Caller, Role

__all__ = ["Role", "admit", "reader"]


def admit(info: Info | GraphQLResolveInfo, role: Role) -> Caller:
    """The caller, if its role suffices; `NotAllowed` (FORBIDDEN) otherwise."""
    caller: Caller = info.context.caller
    if caller.role < role:
        message = f"Your role {caller.role.name} cannot use {info.field_name}; it takes {role.name}."
        raise NotAllowed(Problem("FORBIDDEN", message))
    return caller


def reader(info: Info) -> Caller:
    """The caller of a read that every role may make."""
    return admit(info, Role.VIEWER)
