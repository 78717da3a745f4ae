"""Conditions that ask one value of a contact by its name, `field`: the total it spent, its e-mail, its country."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

from segments.asking import Asking
from segments.names import PLAIN, Names
from segments.places import Place


class AskingNamed(Asking):
    """A card with the parameters `field`, `op` and `value`. It says where each field lies, and its words if need be."""

    places: ClassVar[Mapping[Any, Place]]
    words: ClassVar[Mapping[Any, str]] = {}

    field: Enum

    @property
    def place(self) -> Place:
        return self.places[self.field]

    def describe(self, names: Names = PLAIN) -> str:
        plain = self.field.name.removesuffix("_AT").lower().replace("_", " ")
        return f"whose {self.words.get(self.field, plain)} {self.asked()}"
