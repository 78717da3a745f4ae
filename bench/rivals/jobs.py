"""The usual design with the same effects: one job a contact and step, by hand in SQL, one transaction each.

Celery and Procrastinate run this. A job locks its run, does its step, writes the visit, moves the run on and commits;
then it sends the job of the next step. No trigger, no rule, no skipped step: less than the engine does.
"""

from __future__ import annotations

import os
import threading

import psycopg

STEPS = 10
_kept = threading.local()

_TAG = """
WITH given AS (
    INSERT INTO contact_tag SELECT %(contact)s, t.id, now() FROM tag t WHERE t.name = %(tag)s
    ON CONFLICT DO NOTHING RETURNING contact_id, tag_id
)
INSERT INTO event (contact_id, kind, at, recorded_at, subject, actor)
SELECT contact_id, 'TAG_ADDED', now(), now(), tag_id, 'rival' FROM given
"""
_UNTAG = """
WITH taken AS (
    DELETE FROM contact_tag ct USING tag t
    WHERE t.id = ct.tag_id AND t.name = %(tag)s AND ct.contact_id = %(contact)s
    RETURNING ct.contact_id, ct.tag_id
)
INSERT INTO event (contact_id, kind, at, recorded_at, subject, actor)
SELECT contact_id, 'TAG_REMOVED', now(), now(), tag_id, 'rival' FROM taken
"""
_FIELD = """
WITH set AS (
    UPDATE contact SET job_title = %(tag)s, updated_at = now() WHERE id = %(contact)s RETURNING id
)
INSERT INTO event (contact_id, kind, at, recorded_at, actor)
SELECT id, 'FIELD_CHANGED', now(), now(), 'rival' FROM set
"""
_RULE = """
SELECT EXISTS (
    SELECT FROM contact_tag ct JOIN tag t ON t.id = ct.tag_id
    WHERE ct.contact_id = %(contact)s AND t.name = %(tag)s
)
"""
_WAIT = "SELECT %(contact)s, %(tag)s"

# As bench/scale.py draws them, with the wait as a step that passes at once.
WAY = [
    (_TAG, "rival a"),
    (_RULE, "tag 1"),
    (_FIELD, "Rival"),
    (_TAG, "rival b"),
    (_WAIT, ""),
    (_RULE, "rival b"),
    (_UNTAG, "rival a"),
    (_TAG, "rival c"),
    (_UNTAG, "rival b"),
    (_FIELD, "Done"),
]


def connection() -> psycopg.Connection:
    """One to a thread, kept open."""
    if getattr(_kept, "connection", None) is None:
        _kept.connection = psycopg.connect(os.environ["RIVAL_DATABASE"], autocommit=True)
    return _kept.connection


def do(run_id: int) -> bool:
    """Do the step the run stands on and move it on; whether another one follows."""
    open_ = connection()
    with open_.transaction():
        found = open_.execute(
            "SELECT contact_id, step FROM rival_run WHERE id = %s AND ended_at IS NULL FOR UPDATE", [run_id]
        ).fetchone()
        if found is None:
            return False
        contact, number = found
        effect, tag = WAY[number]
        open_.execute(effect, {"contact": contact, "tag": tag})
        open_.execute("INSERT INTO rival_visit VALUES (%s, %s, 'COMPLETED', now())", [run_id, number + 1])
        last = number + 1 == STEPS
        open_.execute(
            "UPDATE rival_run SET step = step + 1, ended_at = CASE WHEN %s THEN now() END WHERE id = %s", [last, run_id]
        )
    return not last
