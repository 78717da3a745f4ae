"""Somebody of whom everything is known that can be known, so that tests can look for what is left of it."""

from __future__ import annotations

from dataclasses import dataclass

from kit import db as database
from kit import ids
from kit.sql import Sql
from tests.stories.team import Team, on, step

# What only this person has. Whatever is stored of it somewhere is found by one of these.
EMAIL = "zelda.quux@erasure.test"
EARLIER_EMAIL = "zelda.maiden@erasure.test"
PHONE = "+33698765432"
TRACES = {
    "address": EMAIL,
    "earlier address": EARLIER_EMAIL,
    "telephone": PHONE,
    "telephone as typed": "06 98 76 54 32",
    "first name": "Zelda",
    "last name": "Quuxington",
    "job title": "Falconer of Nant",
    "custom field": "Answers to Zed",
    "note": "Keeps seven falcons",
    "task": "Ring about the falconry",
    "street": "7 Rue des Aigles",
    "card": "9173",
    "review": "Bites, but lovely",
    "gone namesake": "zelda.double@erasure.test",
    "browser": "FalconBrowser/3",
    "place on the net": "198.51.100.77",
    "external id": "ext-zelda-1",
}


@dataclass
class Life:
    """The ids of the person and of what belongs to it."""

    contact: str
    newsletter: str
    texts: str
    automation: str

    @property
    def number(self) -> int:
        return ids.take("contact", self.contact)


async def lived(team: Team, work) -> Life:
    """A contact that did everything once: by the API where the API is the way, else as the doors write it."""
    await team.field("nickname", "TEXT")
    newsletter, texts = await team.list("Newsletter"), await team.list("Texts")
    await database.execute(Sql("UPDATE contact_list l SET channel = 'SMS' WHERE l.name = 'Texts'"))
    contact = await team.contact(
        EARLIER_EMAIL,
        phone=PHONE,
        firstName=TRACES["first name"],
        lastName=TRACES["last name"],
        jobTitle=TRACES["job title"],
        company="Falcon House",
        lifecycleStage="LEAD",
        fieldValues=[{"name": "nickname", "value": TRACES["custom field"]}],
        tags=["vip"],
        memberships=[{"listId": newsletter}, {"listId": texts}],
    )
    await team.gql.do("updateContact", "contact { id }", id=contact, email=EMAIL)
    await team.subscribe(contact, newsletter, "UNSUBSCRIBED")
    await team.gql.do("createNote", "note { id }", contactId=contact, text=TRACES["note"])
    await team.gql.do("createTask", "task { id }", contactId=contact, title=TRACES["task"])
    steps = [step("fond", "addTag", "rest", tag="fond"), step("rest", "waitFor", duration={"days": 1})]
    made = await team.gql.do(
        "createAutomation", "automation { id }", name="Care", triggers=[on("tagAdded", tag="care")], steps=steps
    )
    automation = made["automation"]["id"]
    await team.gql.do("activateAutomation", "automation { id }", id=automation)
    await team.tag(contact, "care")
    await work()
    life = Life(contact, newsletter, texts, automation)
    for rows in _BESIDES:
        await database.execute(
            Sql(
                rows,
                id=Sql("{id}::bigint", id=life.number),
                now=Sql("{now}::timestamptz", now=team.gql.caller.now),
                **{name.replace(" ", "_"): Sql("{text}::text", text=text) for name, text in TRACES.items()},
            )
        )
    return life


_ADDRESS = "jsonb_build_object('name', {first_name} || ' ' || {last_name}, 'line1', {street}, 'phone', {telephone})"
_BESIDES = [
    "UPDATE contact c SET external_source = 'shop', external_id = {external_id} WHERE c.id = {id}",
    "INSERT INTO form (name, asks, created_at, updated_at) VALUES ('Contact us', '[]', {now}, {now})",
    """
    INSERT INTO form_submission (form_id, form_version, contact_id, answers, outcome, ip, user_agent, at)
    SELECT fo.id, 1, w.contact_id, w.answers, w.outcome, {place_on_the_net}, {browser}, {now}
    FROM form fo
    CROSS JOIN (
        VALUES
            ({id}, jsonb_build_object('email', {address}, 'message', {note}), 'UPDATED'),
            (NULL, jsonb_build_object('email', ' ' || upper({address}) || ' ', 'name', {first_name}), 'SPAM'),
            (NULL, jsonb_build_object('more', jsonb_build_array({telephone_as_typed}, {last_name})), 'REFUSED'),
            (NULL, jsonb_build_object('email', {earlier_address}), 'REFUSED')
    ) AS w (contact_id, answers, outcome)
    """,
    """
    INSERT INTO delivery (key, contact_id, channel, origin, status, content, answer, queued_at)
    VALUES (
        'personal:1', {id}, 'EMAIL', 'PERSONAL', 'SENT', jsonb_build_object('subject', {first_name}, 'text', {note}),
        {address}, {now}
    )
    """,
    """
    INSERT INTO notification (user_id, kind, contact_id, data, created_at)
    SELECT u.id, 'TASK_ALERT', {id}, jsonb_build_object('title', {task}), {now} FROM user_account u LIMIT 1
    """,
    """
    INSERT INTO confirmation (submission_id, created_at)
    SELECT fs.id, {now} FROM form_submission fs WHERE fs.contact_id = {id}
    """,
    """
    INSERT INTO customer_account (contact_id, payment, billing_address, shipping_address, created_at)
    VALUES ({id}, jsonb_build_object('lastDigits', {card}), """
    + _ADDRESS
    + ", "
    + _ADDRESS
    + """, {now})
    """,
    """
    INSERT INTO shop_order (
        external_id, contact_id, number, total, physical, customer_name, customer_email, billing_address,
        shipping_address, ordered_at, created_at, updated_at
    )
    VALUES (
        'order-1', {id}, 'N-1', 42, TRUE, {first_name} || ' ' || {last_name}, {address}, """
    + _ADDRESS
    + ", "
    + _ADDRESS
    + """, {now}, {now}, {now}
    )
    """,
    """
    INSERT INTO donation (external_id, contact_id, amount, given_at, created_at, updated_at)
    VALUES ('gift-1', {id}, 5, {now}, {now}, {now})
    """,
    "INSERT INTO plan (name, created_at) VALUES ('Falconers', {now})",
    """
    INSERT INTO plan_membership (external_id, contact_id, plan_id, status, started_at, created_at, updated_at)
    SELECT 'membership-1', {id}, pl.id, 'ACTIVE', {now}, {now}, {now} FROM plan pl
    """,
    """
    INSERT INTO review (external_id, contact_id, rating, text, written_at, created_at, updated_at)
    VALUES ('review-1', {id}, 5, {review}, {now}, {now}, {now})
    """,
    """
    INSERT INTO split_path (contact_id, automation_id, step_key, path)
    SELECT {id}, a.id, 'fork', 'A' FROM automation a
    """,
    """
    INSERT INTO refused_entry (contact_id, automation_id, via, entry_label, reason, at)
    SELECT {id}, a.id, 'TRIGGER', 'Was given the tag care', 'TRIGGER_ONCE', {now} FROM automation a
    """,
    """
    WITH made AS (
        INSERT INTO job (kind, state, actor, created_at, updated_at)
        VALUES ('bulk_edit', 'DONE', 'system', {now}, {now}) RETURNING id
    )
    INSERT INTO job_result (job_id, contact_id, action, code) SELECT made.id, {id}, 'addToLists', 'EXCLUDED' FROM made
    """,
    "INSERT INTO contact_total (contact_id, total_spent, order_count) VALUES ({id}, 42, 1)",
    """
    WITH seen AS (INSERT INTO visitor (token, contact_id, seen_at) SELECT gen_random_uuid(), {id}, {now} RETURNING id),
    looked AS (
        INSERT INTO page_visit (visitor_id, contact_id, at, url, path, recorded_at)
        SELECT seen.id, {id}, {now}, 'https://falcons.test/', '/', {now} FROM seen
    ),
    began AS (INSERT INTO first_visit (contact_id, at, url) VALUES ({id}, {now}, 'https://falcons.test/')),
    did AS (INSERT INTO tracked_event (contact_id, at, name, recorded_at) VALUES ({id}, {now}, 'Fed', {now})),
    made AS (INSERT INTO score (name, created_at, updated_at) VALUES ('Interest', {now}, {now}) RETURNING id),
    given AS (INSERT INTO score_award (contact_id, score_id, points, at) SELECT {id}, made.id, 5, {now} FROM made)
    INSERT INTO contact_score (contact_id, score_id, total, changed_at) SELECT {id}, made.id, 5, {now} FROM made
    """,
    """
    WITH made AS (INSERT INTO watch (kind, subject_id, created_at) VALUES ('segment', 0, {now}) RETURNING id),
    flip AS (INSERT INTO watch_flip (contact_id, flips_at) VALUES ({id}, {now})),
    touched AS (INSERT INTO touched_contact (contact_id) VALUES ({id}))
    INSERT INTO watch_member (watch_id, contact_id) SELECT made.id, {id} FROM made
    """,
    """
    WITH sent AS (
        INSERT INTO email_send (key, contact_id, origin, sent_at)
        VALUES ('delivery:1', {id}, 'CAMPAIGN', {now}) RETURNING id
    ),
    level AS (
        INSERT INTO engagement (contact_id, delivered, engaged, computed_at) VALUES ({id}, 1, 1, {now})
    ),
    levels AS (INSERT INTO engagement_change (contact_id, level, until) VALUES ({id}, 'MOST', {now}))
    INSERT INTO email_event (send_id, contact_id, kind, at, link)
    SELECT sent.id, {id}, 'CLICKED', {now}, 'https://shop.test/?to=' || {address} FROM sent
    """,
    """
    INSERT INTO contact_merge (kept_id, gone_id, before, merged_at)
    VALUES ({id}, 999999999, jsonb_build_object('email', {gone_namesake}), {now})
    """,
    """
    INSERT INTO exclusion (kind, value, reason, created_at)
    VALUES ('EXACTLY', {address}, {note}, {now}), ('ENDS_WITH', '@elsewhere.test', NULL, {now})
    """,
]

# Every table with rows that belong to a person: those that point at contacts, those that point at these, and those
# that only have the number of a contact or a run.
TABLES_OF_PEOPLE = Sql(
    """
    WITH RECURSIVE belonging AS (
        SELECT 'contact'::regclass::oid AS place
        UNION
        SELECT a.attrelid
        FROM pg_attribute a
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attname IN ('contact_id', 'run_id', 'gone_id')
          AND c.relkind IN ('r', 'p')
          AND c.relnamespace = 'public'::regnamespace
        UNION
        SELECT f.conrelid
        FROM pg_constraint f
        JOIN belonging ON belonging.place = f.confrelid
        WHERE f.contype = 'f'
    )
    SELECT c.relname
    FROM belonging
    JOIN pg_class c ON c.oid = belonging.place
    WHERE NOT c.relispartition
    ORDER BY 1
    """
)


async def tables_of_people() -> set[str]:
    return set(await database.column(TABLES_OF_PEOPLE))
