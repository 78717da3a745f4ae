"""Companies: each once, and who works there."""

from __future__ import annotations


async def test_a_company_is_there_once_whatever_its_case(gql):
    made = await gql.do("createCompany", "company { id name contactCount }", name=" Acme ")
    assert made["company"]["name"] == "Acme"
    refused = await gql.refused("createCompany", name="ACME")
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("NAME_TAKEN", ["input", "name"])]
    contact = await gql.do("createContact", "contact { company { id } }", email="a@x.test", company="acme")
    assert contact["contact"]["company"] == {"id": made["company"]["id"]}


async def test_companies_are_found_by_a_part_of_their_name_with_who_works_there(gql):
    for number, company in enumerate(["Acme", "Acme", "Other%Acme", "Else"]):
        await gql.do("createContact", "contact { id }", email=f"{number}@x.test", company=company)
    query = """query ($search: String) { companies(search: $search) {
        totalCount nodes { name contactCount contacts(first: 1) { totalCount nodes { email } } }
    } }"""
    shown = (await gql(query, search="acme"))["companies"]
    assert shown == {
        "totalCount": 2,
        "nodes": [
            {"name": "Acme", "contactCount": 2, "contacts": {"totalCount": 2, "nodes": [{"email": "0@x.test"}]}},
            {"name": "Other%Acme", "contactCount": 1, "contacts": {"totalCount": 1, "nodes": [{"email": "2@x.test"}]}},
        ],
    }
    assert (await gql(query, search="r%a"))["companies"]["totalCount"] == 1
    assert (await gql(query))["companies"]["totalCount"] == 3
