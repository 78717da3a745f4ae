"""SQL as a value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kit import db as database
from kit import sql
from kit.sql import Slot, Sql


def test_values_become_parameters_in_the_order_of_their_holes():
    text, parameters = Sql("SELECT {b}::int, {a}::int, {b}::int", a=1, b=2).render()
    assert text == "SELECT $1::int, $2::int, $1::int"
    assert parameters == [2, 1]


def test_a_piece_is_spliced_in_with_its_own_values():
    inner = Sql("c.id = {id}::bigint", id=7)
    text, parameters = Sql("SELECT {id}::int WHERE {inner}", id=1, inner=inner).render()
    assert text == "SELECT $1::int WHERE c.id = $2::bigint"
    assert parameters == [1, 7]


def test_no_condition_at_all_is_not_everybody_by_any_of():
    assert sql.any_of([]).render() == ("FALSE", [])


def test_identifiers_and_constants_are_quoted():
    assert sql.name('a"b').render()[0] == '"a""b"'
    assert sql.text("it's").render()[0] == "'it''s'"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_no_value_can_become_sql(value):
    text, parameters = Sql("SELECT {value}::text", value=value).render()
    assert text == "SELECT $1::text"
    assert parameters == [value]


async def test_the_negation_of_null_is_true(db):
    unknown = Sql("NULL::boolean")
    assert await database.value(Sql("SELECT {no}", no=sql.negation(unknown))) is True


async def test_a_set_given_by_hand_keeps_its_doubles(db):
    assert await database.column(sql.ids([3, 1, 3])) == [3, 1, 3]


def test_a_flat_statement_is_the_same_statement():
    inner = Sql("c.id = {id}::bigint OR {id}::bigint = {other}::bigint", id=7, other=8)
    whole = Sql("SELECT {id}::int WHERE {first} AND {second}", id=1, first=inner, second=inner)

    assert whole.flat().render() == whole.render()
    assert whole.flat().flat().render() == whole.render()


def test_a_slot_is_filled_later_and_as_often_as_wanted():
    open_ = Sql("SELECT {a}::int WHERE {where} AND {where}", a=1, where=Sql("({it})", it=Slot("condition"))).flat()

    for value in (5, 6):
        text, parameters = open_.with_(condition=Sql("c.id = {id}::bigint", id=value)).render()
        assert text == "SELECT $1::int WHERE (c.id = $2::bigint) AND (c.id = $3::bigint)"
        assert parameters == [1, value, value]


def test_what_is_open_is_known_by_its_name_and_can_be_filled_later():
    row = Sql("({a}::int, {late})", a=1, late=Slot("members"))
    whole = Sql("SELECT {row} WHERE {where}", row=row.flat(), where=Sql("c.id = {id}::bigint", id=2))

    assert whole.slots() == {"members"}
    filled = whole.flat().with_(members=Sql("TRUE"))
    assert filled.slots() == set()
    assert filled.render() == ("SELECT ($1::int, TRUE) WHERE c.id = $2::bigint", [1, 2])


def test_sql_of_somebody_else_has_no_holes():
    theirs = """SELECT '{name}' AS "{brace}", '{A}' || '{', '{"a": {b}}' FROM x"""
    text, parameters = Sql("SELECT * FROM ({theirs}) s", theirs=sql.verbatim(theirs)).render()
    assert (text, parameters) == (f"SELECT * FROM ({theirs}) s", [])
