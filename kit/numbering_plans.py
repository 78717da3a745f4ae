"""Telephone numbers as most people write them, read at a twentieth of the library's price, with the library's answer.

The plans are those of `phonenumbers`. Only what is surely a number is answered here; whatever is unusual, and whatever
seems to be none, is left to the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, region_code_for_country_code
from phonenumbers.phonemetadata import PhoneNumberDesc

_PLAIN = re.compile(r"\+?\(?[0-9][0-9 ().\-]{3,40}", re.ASCII)
_SIGNS = dict.fromkeys(map(ord, "+ ().-"))
_CODE_DIGITS_MAX = 3
_KINDS: tuple[str, ...] = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)
_KINDS += ("fixed_line",)


def read(text: str, region: str) -> str | None:
    """The number in E.164, as `phonenumbers` would have it; None where the library must be asked."""
    if not _PLAIN.fullmatch(text):
        return None
    digits = text.translate(_SIGNS)
    if text[0] == "+":
        for length in range(1, _CODE_DIGITS_MAX + 1):
            plan = _plan_of_code(digits[:length])
            if plan is not None:
                return plan.read(digits[length:])
        return None
    plan = _plan_of_region(region)
    return None if plan is None or plan.is_international(digits) else plan.read(digits)


class _Plan:
    """How numbers are written in a region, or everywhere under a country's code."""

    def __init__(self, metadata: PhoneMetadata) -> None:
        self._code = str(metadata.country_code)
        abroad = metadata.international_prefix
        self._abroad = re.compile(abroad) if abroad else None
        prefix = metadata.national_prefix_for_parsing
        self._prefix = re.compile(prefix) if prefix else None
        self._rewrites = bool(metadata.national_prefix_transform_rule)
        general = _general(metadata)
        self._general = re.compile(general.national_number_pattern or "(?!)")
        self._lengths = frozenset(general.possible_length) - frozenset(general.possible_length_local_only)
        self._exists = _existing(int(self._code))

    def is_international(self, digits: str) -> bool:
        """Whether this may begin with what is dialled for other countries, or with this country's own code."""
        return digits.startswith(self._code) or bool(self._abroad and self._abroad.match(digits))

    def read(self, digits: str) -> str | None:
        """The number with its country's code, if it surely exists."""
        prefix = self._prefix.match(digits) if self._prefix else None
        if prefix:
            if self._rewrites or any(group is not None for group in prefix.groups()):
                return None
            without = digits[prefix.end() :]
            if self._general.fullmatch(without) or not self._general.fullmatch(digits):
                digits = without
        if len(digits) not in self._lengths or not self._exists(digits) or not digits.strip("0"):
            return None
        return f"+{self._code}{digits}"


@cache
def _plan_of_region(region: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(region)
    return None if metadata is None else _Plan(metadata)


@cache
def _plan_of_code(code: str) -> _Plan | None:
    if code[:1] in ("", "0") or int(code) not in COUNTRY_CODE_TO_REGION_CODE:
        return None
    number = int(code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(number, region_code_for_country_code(number))
    return None if metadata is None else _Plan(metadata)


@cache
def _existing(code: int) -> Callable[[str], bool]:
    """Whether a number of this country's code belongs to one of its regions, and exists there."""
    regions = []
    for region in COUNTRY_CODE_TO_REGION_CODE[code]:
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        if metadata is not None:
            begins = re.compile(metadata.leading_digits) if metadata.leading_digits else None
            regions.append((begins, _of_any_kind(metadata)))
    alone = len(regions) == 1

    def exists(digits: str) -> bool:
        for begins, fits in regions:
            if begins is not None and not alone:
                if begins.match(digits):
                    return fits(digits)
            elif fits(digits):
                return True
        return False

    return exists


def _of_any_kind(metadata: PhoneMetadata) -> Callable[[str], bool]:
    kinds = _KINDS if metadata.same_mobile_and_fixed_line_pattern else (*_KINDS, "mobile")
    known = [desc for kind in kinds if (desc := getattr(metadata, kind)) is not None and desc.national_number_pattern]
    general = _general(metadata)
    by_length: dict[int, re.Pattern[str] | None] = {}

    def fits(digits: str) -> bool:
        length = len(digits)
        if length not in by_length:
            parts = [desc.national_number_pattern for desc in known if _may_have(desc, length)]
            pattern = rf"(?=(?:{general.national_number_pattern})\Z)(?:{'|'.join(f'(?:{part})' for part in parts)})"
            by_length[length] = re.compile(pattern) if parts and _may_have(general, length) else None
        found = by_length[length]
        return bool(found and found.fullmatch(digits))

    return fits


def _general(metadata: PhoneMetadata) -> PhoneNumberDesc:
    found = metadata.general_desc
    assert found is not None, "every plan has one"
    return found


def _may_have(desc: PhoneNumberDesc, length: int) -> bool:
    return not desc.possible_length or length in desc.possible_length
