"""Countries as people write them."""

from __future__ import annotations

import pytest

from kit import country


@pytest.mark.parametrize(
    ("text", "code"),
    [("USA", "US"), ("United Kingdom", "GB"), (" uk ", "GB"), ("Czech Republic", "CZ"), ("de", "DE"), ("FRA", "FR"),
     ("South Korea", "KR"), ("Vietnam", "VN"), ("Germny", None), ("", None)],
)  # fmt: skip
def test_a_country_by_any_of_its_names(text, code):
    assert country.code(text) == code
