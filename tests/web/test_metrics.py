"""`/metrics` tells Prometheus what there is to do, and nobody else anything."""

from __future__ import annotations

import httpx2
from starlette.applications import Starlette
from starlette.routing import Route

from kit import config
from kit import db as database
from kit.sql import Sql
from web.metrics import metrics

TOKEN = "a-token-of-prometheus"


async def test_only_who_has_the_token_reads_the_metrics(db, monkeypatch):
    await database.execute(
        Sql("INSERT INTO invariant_check (name, violations, checked_at) VALUES ('path_gaps', 3, now())")
    )
    await database.execute(Sql("INSERT INTO pending_event (event_id) VALUES (1), (2)"))
    server = Starlette(routes=[Route("/metrics", metrics)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(server), base_url="http://parcours") as client:
        assert (await client.get("/metrics")).status_code == 404
        monkeypatch.setenv("PARCOURS_METRICS_TOKEN", TOKEN)
        config.settings.cache_clear()
        try:
            for headers in ({}, {"authorization": "Bearer wrong"}):
                assert (await client.get("/metrics", headers=headers)).status_code == 401
            answer = await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        finally:
            monkeypatch.undo()
            config.settings.cache_clear()
    lines = answer.text.splitlines()
    assert 'parcours_invariant_violations{check="path_gaps"} 3.0' in lines
    assert "parcours_facts_pending 2.0" in lines
    assert "parcours_runs_due 0.0" in lines
