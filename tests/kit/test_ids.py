"""Global ids say what they are of, and anything else is simply not found."""

from __future__ import annotations

import pytest

from kit import ids
from kit.errors import NotFound


def test_an_id_comes_back_as_the_number_it_was_made_of():
    assert ids.give("contact", 42) == "contact_42"
    assert ids.take("contact", "contact_42") == 42
    assert ids.split("contact_42") == ("contact", 42)


@pytest.mark.parametrize(
    "given",
    [
        *["list_42", "contact_", "contact_0", "contact_-1", "contact_042", "contact_4\n", "contact_٣", "42", "", None],
        *[42, ["contact_1"], "contact_9223372036854775808", "contact_" + "9" * 400, "Contact_1", "contact_1 "],
    ],
)
def test_what_is_no_id_of_the_kind_is_not_found(given):
    with pytest.raises(NotFound) as refusal:
        ids.take("contact", given, "input", "contactId")
    (problem,) = refusal.value.problems
    assert (problem.code, problem.path) == ("NOT_FOUND", ("input", "contactId"))
    assert ids.find("contact", given) is None
