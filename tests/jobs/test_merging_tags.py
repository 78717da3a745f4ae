"""Tags that very many contacts have become one by a job; nobody waits for the answer."""

from __future__ import annotations

from workflows import naming

PAYLOAD = "tag { name contactCount } job { id state }"


async def test_sq7_many_are_merged_by_a_job(gql, team, job, work, monkeypatch):
    monkeypatch.setattr(naming, "MERGED_NOW_MAX", 2)
    for number in range(3):
        await team.contact(f"m{number}@tags.test", tags=["old", "older", "new"][: number + 1])
    nodes = (await gql("{ tags(first: 9) { nodes { id name } } }"))["tags"]["nodes"]
    known = {each["name"]: each["id"] for each in nodes}

    few = await gql.do("mergeTags", PAYLOAD, fromIds=[known["older"]], intoId=known["new"])
    assert (few["tag"]["contactCount"], few["job"]) == (2, None)
    many = await gql.do("mergeTags", PAYLOAD, fromIds=[known["old"]], intoId=known["new"])
    assert (many["tag"]["contactCount"], many["job"]["state"]) == (2, "QUEUED")
    await work()
    ended = await job(many["job"]["id"])
    assert (ended["state"], ended["kind"], ended["total"], ended["done"]) == ("DONE", "MERGE_TAGS", 3, 3)
    assert await gql("{ tags(first: 9) { nodes { name contactCount } } }") == {
        "tags": {"nodes": [{"name": "new", "contactCount": 3}]}
    }
    refused = await gql.refused("mergeTags", fromIds=[known["new"]], intoId=known["new"])
    assert refused["errors"][0]["code"] == "INVALID_VALUE"
