"""What columns become is said by someone, or by their names."""

from __future__ import annotations

import pytest

from kit.errors import Invalid
from services import mapping
from services.fields import Field

COLUMNS = ("Id", "E-Mail", "First Name", "Surname", "Mobile", "Phone", "Company", "Tags", "Shoe size", "Id")


def test_targets_are_read_in_either_spelling_and_columns_in_any_case():
    given = {"e-mail": "email", "first name": "firstName", " Surname ": "LAST_NAME", "Shoe size": "field:shoe"}
    assert mapping.read(COLUMNS, given) == {
        "E-Mail": "email",
        "First Name": "first_name",
        "Surname": "last_name",
        "Shoe size": "field:shoe",
    }


def test_every_fault_is_told_at_once():
    given = {"Nope": "email", "Id": "field:id2", "Phone": "fax", "Mobile": "phone", "Company": "phone"}
    with pytest.raises(Invalid) as refused:
        mapping.read(COLUMNS, given)
    found = [(problem.code, problem.path) for problem in refused.value.problems]
    assert found == [
        ("UNKNOWN_COLUMN", ("map", "Nope")),
        ("DUPLICATE", ("map", "Id")),
        ("INVALID_VALUE", ("map", "Phone")),
        ("DUPLICATE", ("map", "Company")),
    ]
    assert refused.value.problems[0].message.startswith('Line 1: there is no column "Nope". There are: Id, E-Mail,')


@pytest.mark.parametrize("given", [{"Company": "company"}, {}])
def test_ac1_some_column_must_identify_the_contacts(given):
    with pytest.raises(Invalid) as refused:
        mapping.read(COLUMNS, given) if given else mapping.guess(["Id", "Name"], [])
    assert [problem.code for problem in refused.value.problems] == ["IDENTIFIER_REQUIRED"]


def test_usual_names_and_those_of_custom_fields_are_understood():
    fields = [Field(1, "shoeSize", "Size of the shoes", "NUMBER"), Field(2, "vat", "VAT id", "TEXT")]
    assert mapping.guess([*COLUMNS, "VAT-ID"], fields) == {
        "E-Mail": "email",
        "First Name": "first_name",
        "Surname": "last_name",
        "Mobile": "phone",
        "Company": "company",
        "Tags": "tags",
        "Shoe size": "field:shoeSize",
        "VAT-ID": "field:vat",
    }
