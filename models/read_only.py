"""Tables that no model can write: their key is more than one column, or they have none."""

from __future__ import annotations

from typing import Any, NoReturn

from tortoise.models import Model


class ReadOnly(Model):
    """Tortoise knows keys of one column only: saving such a row would change its neighbours too."""

    class Meta:
        abstract = True

    async def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is written by statements, not by its model.")

    async def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} is written by statements, not by its model.")
