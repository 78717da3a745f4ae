"""The weekly report of subscribers: right to the second and to the person, once, and for owners alone (SQ22)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kit import clock
from kit import db as database
from kit.sql import Sql, ids
from services import caller as callers
from services import lists, memberships, weekly_reports
from services.caller import Caller, Role
from workflows import deliver

BERLIN = ZoneInfo("Europe/Berlin")
REPORTS = """{ weeklyReports { totalCount nodes {
    week beginsAt endsAt newSubscribers unsubscribes total totalBefore changePercent
    sources { website checkout imported forms others } recipients { name }
} } }"""


class Weeks:
    """Subscribers that come and go at instants of weeks to come."""

    def __init__(self, gql, by: Caller, news: int) -> None:
        self.gql, self.by, self.news = gql, by, news
        day = by.now.astimezone(BERLIN).replace(hour=0, minute=0, second=0, microsecond=0)
        self.first = day + timedelta(days=14 - day.weekday())  # a Monday; no week before it is over by then

    def at(self, week: int, **later: float) -> datetime:
        """An instant of a week by the clocks of Berlin."""
        return self.first + timedelta(weeks=week) + timedelta(**later)

    async def contact(self) -> int:
        made = await database.value(Sql("SELECT nextval(pg_get_serial_sequence('contact', 'id'))"))
        given = {"email": f"somebody{made}@weeks.test"}
        return int((await self.gql.do("createContact", "contact { id }", **given))["contact"]["id"][8:])

    async def joins(self, at: datetime, list_id: int | None = None, by: Caller | None = None, **more) -> int:
        contact = await self.contact()
        by = replace(by or self.by, now=at, **more)
        await memberships.join(ids([contact]), list_id or self.news, by=by)
        return contact

    async def leaves(self, contact: int, at: datetime) -> None:
        await memberships.leave(ids([contact]), None, by=replace(self.by, now=at))


@pytest.fixture
async def weeks(gql, caller) -> Weeks:
    await gql.do("updateSettings", "settings { name }", timezone="Europe/Berlin", name="Falcons & Co")
    await database.execute(Sql("UPDATE account SET created_at = {now}::timestamptz", now=caller.now))
    return Weeks(gql, caller, await lists.create("News", by=caller))


async def form(gql, name: str, *asks: str) -> int:
    fields = [{"name": each} for each in asks]
    return int((await gql.do("createForm", "form { id }", name=name, fields=fields))["form"]["id"][5:])


async def test_sq22_the_week_as_it_was_from_where_they_came_and_to_owners_alone(gql, weeks, mailbox):
    await gql.do("createUser", "user { id }", email="ora@weeks.test", name="Ora", role="OWNER")
    for role in ("ADMIN", "MEMBER"):
        await gql.do("createUser", "user { id }", email=f"{role}@weeks.test", name=role, role=role)
    await database.execute(Sql("UPDATE user_account SET weekly_report = FALSE WHERE name = 'Ora'"))
    block = await form(gql, "Footer", "email", "firstName")
    long = await form(gql, "Quote", "email", "jobTitle")
    monday, sunday = weeks.at(0), weeks.at(0, days=7, microseconds=-1)
    second = await lists.create("Second", by=weeks.by)
    quiet = await database.value(
        Sql(
            "INSERT INTO contact_list (name, kind, created_at, updated_at) VALUES ('By hand', 'STATIC', {n}, {n}) "
            "RETURNING id",
            n=weeks.by.now,
        )
    )
    website = await weeks.joins(monday, by=callers.form(block, monday))
    await weeks.joins(sunday, by=callers.form(long, sunday))
    await weeks.joins(monday, source_detail="IMPORT")
    await weeks.joins(monday, source_detail="CHECKOUT")
    await weeks.joins(monday)
    short = await weeks.joins(monday, source_detail="SYNC")
    await weeks.leaves(short, sunday)
    await weeks.joins(monday, quiet)
    await weeks.joins(weeks.at(1), source_detail="IMPORT")  # a moment too late for this week
    await memberships.join(ids([website]), second, by=replace(weeks.by, now=sunday))  # is one already

    assert await weekly_reports.make_due(sunday) == 0
    made = await asyncio.gather(*(weekly_reports.make_due(weeks.at(1)) for _ in range(3)))
    assert sorted(made) == [0, 0, 1]
    assert await weekly_reports.make_due(weeks.at(1, days=6)) == 0
    [report] = (await gql(REPORTS))["weeklyReports"]["nodes"]
    assert datetime.fromisoformat(report.pop("beginsAt")) == monday
    assert datetime.fromisoformat(report.pop("endsAt")) == weeks.at(1)
    assert report == {
        "week": f"{monday:%Y-%m-%d}",
        "newSubscribers": 6,
        "unsubscribes": 1,
        "total": 5,
        "totalBefore": 0,
        "changePercent": None,
        "sources": {"website": 1, "checkout": 1, "imported": 2, "forms": 1, "others": 1},
        "recipients": [{"name": "Olga Owner"}],
    }
    while await deliver.pass_(await clock.now() + timedelta(days=30)):
        pass
    [mail] = mailbox.messages
    last = sunday.date()
    assert (mail["To"], mail["Subject"]) == (
        "olga@parcours.test",
        f"Falcons & Co: your subscribers, {monday:%Y-%m-%d} – {last}",
    )
    html = mail.get_body(("html",)).get_content()
    assert "Falcons &amp; Co" in html
    assert html.count("bgcolor") == 7  # five sources, two weeks
    assert "Imported: 2" in mail.get_body(("plain",)).get_content()
    refused = await gql.as_(Role.ADMIN).answer(REPORTS)
    assert refused.errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_q13_no_report_without_a_change_and_an_owner_opts_out_and_in_again(gql, weeks, mailbox):
    """Weeks in which nobody worked are made up for; each owner decides for itself."""
    assert await weekly_reports.make_due(weeks.at(0)) == 0
    early = [await weeks.joins(weeks.at(0)) for _ in range(4)]
    for contact in early[:2]:
        await weeks.leaves(contact, weeks.at(1, days=2))
    for _ in range(2):
        await weeks.joins(weeks.at(1, days=3))
    await weeks.joins(weeks.at(2))
    wanted = "user { weeklyReport }"
    assert (await gql.do("updateReportPreference", wanted, weeklyReport=False))["user"] == {"weeklyReport": False}
    assert await weekly_reports.make_due(weeks.at(3)) == 2
    await gql.do("updateReportPreference", wanted, weeklyReport=True)
    await memberships.bounce(ids(early[2:3]), by=replace(weeks.by, now=weeks.at(3)))
    assert await weekly_reports.make_due(weeks.at(4)) == 1
    found = (await gql(REPORTS))["weeklyReports"]["nodes"]
    keys = ("newSubscribers", "unsubscribes", "totalBefore", "total", "changePercent")
    assert [tuple(each[key] for key in keys) for each in found] == [
        (0, 0, 5, 4, -20), (1, 0, 4, 5, 25), (4, 0, 0, 4, None)
    ]  # fmt: skip
    assert [len(each["recipients"]) for each in found] == [1, 0, 0]
    while await deliver.pass_(await clock.now() + timedelta(days=60)):
        pass
    [mail] = mailbox.messages
    chart = mail.get_body(("html",)).get_content()
    assert [f'width="{width}"' in chart for width in (192, 240)] == [True, True]  # 4 of 5, and 5
    assert await weekly_reports.make_due(weeks.at(5)) == 0


async def test_q14_weeks_are_those_of_the_account_also_when_clocks_change(gql, weeks):
    """The week in which summer begins in Berlin is an hour shorter, and ends at midnight there all the same."""
    march = datetime(2027, 3, 22, tzinfo=BERLIN)
    await database.execute(Sql("INSERT INTO report_week (week, total) VALUES ('2027-03-15', 0)"))
    await weeks.joins(datetime(2027, 3, 28, 23, 59, 59, tzinfo=BERLIN))
    await weeks.joins(datetime(2027, 3, 29, tzinfo=BERLIN))
    assert await weekly_reports.make_due(datetime(2027, 3, 28, 23, 59, 59, tzinfo=BERLIN)) == 0
    assert await weekly_reports.make_due(datetime(2027, 3, 29, tzinfo=BERLIN)) == 1
    [report] = (await gql(REPORTS))["weeklyReports"]["nodes"]
    begin, end = (datetime.fromisoformat(report[key]) for key in ("beginsAt", "endsAt"))
    assert (begin, end - begin, report["total"]) == (march, timedelta(hours=167), 1)
