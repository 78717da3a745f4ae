"""Who may do what: every query, mutation and subscription as every role and as nobody, held against one table.

The documents are made from the schema, so an operation that is added and not entered in the table is noticed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from starlette.applications import Starlette

from kit import clock
from schema import execution
from schema import schema as product
from schema.context import Context
from services.caller import Role
from web import graphql
from web.live import Hub

BUILT = product._schema

# The lowest role that may use it. What is not here may nobody use: the test fails until it is entered.
TABLE = {
    "query": {
        **dict.fromkeys(
            [
                *("node", "nodes", "viewer", "users", "tokens"),
                *("contact", "contacts", "tags", "lists", "fields", "tasks"),
                *("automation", "automations", "automationRun", "automationRuns", "publishPreview"),
                *("refusedEntries", "stepKinds", "triggerKinds", "conditionKinds"),
                *("form", "forms"),
                *("message", "messages", "previewMessage", "deliveries"),
                *("job", "jobs", "exports", "imports"),
                *("campaign", "campaigns", "previewCampaign"),
                *("scores", "sites"),
                *("segment", "segments", "view", "views", "automationTemplates"),
                *("mergePreview", "settings", "orders", "plans", "fieldGroups", "companies", "exclusions"),
            ],
            Role.VIEWER,
        ),
        "notifications": Role.VIEWER,  # one's own
        "weeklyReports": Role.OWNER,
        **dict.fromkeys(["auditLog", "exportPersonalData", "syncSource", "syncSources", "webhooks"], Role.ADMIN),
    },
    "mutation": {
        **dict.fromkeys(["createToken", "revokeToken", "cancelJob"], Role.VIEWER),  # one's own; see below
        **dict.fromkeys(["markNotificationsRead", "updateNotificationPreference"], Role.VIEWER),  # one's own
        "updateReportPreference": Role.OWNER,
        **dict.fromkeys(
            [
                *("createContact", "updateContact", "deleteContact", "addTags", "removeTags", "setMembership"),
                "addSegmentToList",
                *("bulkEdit", "upsertContacts"),
                *("createView", "updateView", "deleteView"),
                "adjustScore",
                "recordEvents",
                *("createTag", "createCompany"),
                *("resendDelivery", "sendPersonalEmail"),
                *("submitForm", "confirmMembership", "unsubscribeFromMarketing"),
                *("createNote", "updateNote", "deleteNote", "createTask", "updateTask", "deleteTask"),
                *("pauseRun", "resumeRun", "skipWait", "endRun"),
                *("enterAutomation", "endAutomation"),
                *("recordOrder", "recordDonation", "recordPlanMembership", "recordReview", "recordEmailEvents"),
                *("createCustomerAccount", "deleteCustomerAccount"),
            ],
            Role.MEMBER,
        ),
        **dict.fromkeys(
            [
                *("createForm", "updateForm"),
                *("createMessage", "updateMessage", "sendTest"),
                *("createCampaign", "updateCampaign", "sendCampaign"),
                *("pauseCampaign", "resumeCampaign", "cancelCampaign"),
                *("startExport", "previewImport", "startImport", "undoImport"),
                *("createSyncSource", "updateSyncSource", "deleteSyncSource", "previewSync", "runSync"),
                *("createSegment", "updateSegment", "copySegment", "deleteSegment"),
                *("createScore", "updateScore", "deleteScore"),
                *("createSite", "updateSite", "deleteSite"),
                *("createWebhook", "updateWebhook", "deleteWebhook", "replayWebhook"),
                *("createList", "updateList", "createField", "createUser", "updateUser"),
                *("updateSettings", "updateTag", "mergeTags", "deleteTag"),
                *("mergeContacts", "unmergeContacts"),
                *("updateField", "deleteField", "createFieldGroup", "updateFieldGroup"),
                *("createExclusion", "deleteExclusion"),
                "createAutomationFromTemplate",
                *("publishAutomation", "archiveAutomation", "copyAutomation"),
                *("createAutomation", "updateAutomation", "activateAutomation", "deactivateAutomation"),
                "simulateAutomation",
            ],
            Role.ADMIN,
        ),
    },
    "subscription": dict.fromkeys(
        ["contactChanged", "runChanged", "jobChanged", "segmentChanged", "notificationAdded"], Role.VIEWER
    ),
}
EVERYTHING = [(operation, name) for operation, roles in TABLE.items() for name in roles]


def root(operation: str) -> Any:
    return {"query": BUILT.query_type, "mutation": BUILT.mutation_type, "subscription": BUILT.subscription_type}[
        operation
    ]


def least(of: Any) -> Any:
    """The smallest value a type takes."""
    if isinstance(of, GraphQLNonNull):
        return least(of.of_type)
    if isinstance(of, GraphQLList):
        return [least(of.of_type)]
    if isinstance(of, GraphQLEnumType):
        return next(iter(of.values))
    if isinstance(of, GraphQLInputObjectType):
        needed = {name: field for name, field in of.fields.items() if is_required_input_field(field)}
        if of.extensions["strawberry-definition"].is_one_of:
            one = next((word for word in ("end", "tag") if word in of.fields), next(iter(of.fields)))
            needed = {one: of.fields[one]}
        return {name: least(field.type) for name, field in needed.items()}
    return {"Boolean": False, "Int": 1, "Float": 1.0}.get(of.name, "zzz_1")


def document(operation: str, name: str) -> tuple[str, dict[str, Any]]:
    """An operation with only what it cannot do without."""
    field = root(operation).fields[name]
    needed = {word: argument for word, argument in field.args.items() if is_required_argument(argument)}
    declared = ", ".join(f"${word}: {argument.type}" for word, argument in needed.items())
    given = ", ".join(f"{word}: ${word}" for word in needed)
    of = field.type
    while hasattr(of, "of_type"):
        of = of.of_type
    text = f"{operation} {f'({declared})' if declared else ''} {{ {name}{f'({given})' if given else ''}"
    text += " }" if is_leaf_type(of) else " { __typename } }"
    return text, {word: least(argument.type) for word, argument in needed.items()}


def codes(errors: list[Any]) -> set[str]:
    return {error["extensions"]["code"] for error in errors}


@pytest.mark.parametrize("operation", TABLE)
def test_the_table_knows_every_operation(operation):
    assert set(TABLE[operation]) == set(root(operation).fields)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("operation", ["query", "mutation"])
async def test_a_role_may_what_the_table_says_and_nothing_else(gql, role, operation):
    api = gql.as_(role)
    allowed = set()
    for name in TABLE[operation]:
        text, variables = document(operation, name)
        answer = await api.answer(text, **variables)
        if "FORBIDDEN" in codes(answer.errors):
            assert answer.data is None or answer.data[name] is None
        else:
            assert "INTERNAL_SERVER_ERROR" not in codes(answer.errors), (name, answer.errors)
            allowed.add(name)
    assert allowed == {name for name, lowest in TABLE[operation].items() if role >= lowest}


@pytest.mark.parametrize("role", Role)
async def test_every_role_may_watch(gql, role):
    for name in TABLE["subscription"]:
        text, variables = document("subscription", name)
        read = gql._documents.read(text)
        context = Context(replace(gql.caller, role=role, now=await clock.now()), "request-of-a-test", Hub())
        answers = execution.stream(read, read.operation(None), variables, context)
        try:
            first = await asyncio.wait_for(anext(answers, None), 0.05)
        except TimeoutError:
            continue  # let in, and nothing happens
        assert first is None or "FORBIDDEN" not in codes(first.errors)


@pytest.mark.parametrize("token", [None, "parcours_wrong"])
async def test_nobody_may_do_anything(db, token):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    app = Starlette(routes=graphql.routes())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://parcours") as anyone:
        for operation, name in EVERYTHING:
            text, variables = document(operation, name)
            refused = await anyone.post("/graphql", json={"query": text, "variables": variables}, headers=headers)
            assert (refused.status_code, codes(refused.json()["errors"])) == (401, {"UNAUTHENTICATED"}), name
            assert "data" not in refused.json()


async def test_only_owners_make_owners(gql):
    boss = {"email": "boss@roles.test", "name": "Boss", "role": "OWNER"}
    refused = await gql.as_(Role.ADMIN).refused("createUser", "user { id }", **boss)
    assert ([error["code"] for error in refused["errors"]], refused["user"]) == (["FORBIDDEN"], None)
    assert (await gql.do("createUser", "user { role }", **boss))["user"] == {"role": "OWNER"}


async def test_a_token_never_may_more_than_who_made_it(gql):
    """Members make tokens for themselves, admins for all who can do no more than they."""
    member = await gql.do("createUser", "user { id }", email="mo@roles.test", name="Mo", role="MEMBER")
    owner = (await gql("{ viewer { id } }"))["viewer"]["id"]
    admin = gql.as_(Role.ADMIN)
    for_member = await admin.do("createToken", "token { id } secret", name="For Mo", userId=member["user"]["id"])
    assert for_member["secret"]

    mo = gql.as_(Role.MEMBER)
    mo.caller = replace(mo.caller, user_id=int(member["user"]["id"].removeprefix("user_")))
    for_owner = {"name": "More", "userId": owner}
    for api in (mo, mo.as_(Role.ADMIN)):
        refused = await api.refused("createToken", "secret", **for_owner)
        assert ([error["code"] for error in refused["errors"]], refused["secret"]) == (["FORBIDDEN"], None)
    assert (await mo.do("createToken", "token { user { name } }", name="Mine"))["token"]["user"] == {"name": "Mo"}
    seen = (await mo("{ tokens { nodes { user { name } } } }"))["tokens"]["nodes"]
    assert {token["user"]["name"] for token in seen} == {"Mo"}
    theirs = (await gql("{ tokens { nodes { id user { name } } } }"))["tokens"]["nodes"]
    found = await mo("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[token["id"] for token in theirs])
    assert found["nodes"] == [{"id": each["id"]} if each["user"]["name"] == "Mo" else None for each in theirs]


HIDDEN = {"ip", "userAgent", "secret", "hash", "prefix", "token"}


def test_s13_what_is_secret_or_tells_where_somebody_was_is_for_admins():
    """No type that everybody may read has such a field; one's own tokens are the exception, see above."""
    wrong = []
    for of in BUILT.type_map.values():
        definition = of.extensions.get("strawberry-definition")
        table = getattr(getattr(definition, "origin", None), "__table__", None)
        if table is not None and table.reader < Role.ADMIN:
            wrong += [f"{of.name}.{word}" for word in HIDDEN & set(of.fields)]
    assert wrong == ["Token.prefix"]  # which shows everybody their own


def test_s15_roles_and_what_happened_are_no_inputs_of_other_operations():
    """A role is given to users alone; nobody writes who did something and when it was agreed to."""
    own = {"role": {"CreateUserInput", "UpdateUserInput"}}
    for word in ("role", "actor", "createdAt", "updatedAt", "confirmedAt", "marketingOptInAt", "marketingRevokedAt"):
        found = {
            of.name for of in BUILT.type_map.values() if isinstance(of, GraphQLInputObjectType) and word in of.fields
        }
        assert found <= own.get(word, set()), word
