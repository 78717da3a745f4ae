"""Telephone numbers: the quick answer for those written as usual is always the library's."""

from __future__ import annotations

import random

import phonenumbers
from phonenumbers import PhoneNumberFormat as Format

from kit import numbering_plans, phone

KINDS = (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)  # of phonenumbers.PhoneNumberType
SEED = 5


def written(region: str, chance: random.Random) -> list[str]:
    """A number of the region in three ways, and each with other digits, with signs lost, and with one too many."""
    number = phonenumbers.example_number_for_type(region, chance.choice(KINDS))
    number = number or phonenumbers.example_number(region)
    texts = [phonenumbers.format_number(number, each) for each in (Format.E164, Format.INTERNATIONAL, Format.NATIONAL)]
    for text in list(texts):
        some = chance.random() < 0.5
        texts.append("".join(chance.choice("0123456789") if c.isdigit() and some else c for c in text[:-2]) + text[-2:])
        texts.append("".join(c for c in text if chance.random() > 0.05))
        texts.append(text + chance.choice("0123456789"))
    return texts


def test_the_quick_answer_is_the_librarys():
    chance = random.Random(SEED)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)[::3]
    numbers = quick = 0
    for region in regions:
        for text in written(region, chance):
            for where in (region, chance.choice(regions), "ZZ"):
                by_library = phone.by_library(text, where)
                found = numbering_plans.read(text, where)
                assert found in (None, by_library), (text, where)
                numbers += by_library is not None
                quick += found is not None
    assert quick > 0.9 * numbers > 500
