"""Messages are written, checked and changed; the outbox is read; what failed is sent again by hand."""

from __future__ import annotations

from kit import db as database
from kit.sql import Sql, ids
from services import memberships
from tests.mailbox import Mailbox
from tests.workflows.post import Post
from workflows import deliver

SELECTION = "message { id name subject html mjml readyHtml text version tracked channel }"


async def test_a_message_is_made_ready_and_changed(gql) -> None:
    html = "<style>b{color:red}</style><p>Hi <b>{{ first_name }}</b> {% if fields.size < 3 %}small{% endif %}</p>"
    made = (await gql.do("createMessage", SELECTION, name="Hello", subject="Hi {{ first_name }}", html=html))["message"]
    assert '<b style="color: red;">{{ first_name }}</b> {% if fields.size < 3 %}small' in made["readyHtml"]
    assert (made["text"], made["html"]) == ("Hi {{ first_name }} {% if fields.size < 3 %}small{% endif %}", html)
    inside = "<mj-section><mj-column><mj-text>Hey {{ email }}</mj-text></mj-column></mj-section>"
    mjml = f"<mjml><mj-body>{inside}</mj-body></mjml>"
    changed = (await gql.do("updateMessage", SELECTION, id=made["id"], mjml=mjml, tracked=False))["message"]
    assert "://" not in changed["readyHtml"].replace("http://www.w3.org", ""), "what is loaded from elsewhere tells"
    assert changed["html"] is None
    assert "Hey {{ email }}" in changed["readyHtml"]
    assert (changed["text"], changed["version"], changed["tracked"]) == ("Hey {{ email }}", 2, False)
    plain = (await gql.do("updateMessage", SELECTION, id=made["id"], mjml=None, text="Just text"))["message"]
    assert (plain["mjml"], plain["text"]) == (None, "Just text")
    assert "<p>Just text</p>" in plain["readyHtml"]
    await gql.do("createMessage", SELECTION, name="Short", channel="SMS", text="Hi {{ first_name }}")
    found = await gql('{ messages(search: "he") { totalCount nodes { name } } }')
    assert found["messages"] == {"totalCount": 1, "nodes": [{"name": "Hello"}]}
    assert (await gql(f'{{ message(id: "{made["id"]}") {{ name }} }}'))["message"] == {"name": "Hello"}


async def test_an_email_is_seen_as_a_contact_would_get_it(gql) -> None:
    body = '<p>Hi {{ first_name }}</p><a href="https://shop.test/">Shop</a>'
    message = (await gql.do("createMessage", "message { id }", name="M", subject="S {{ first_name }}", html=body))[
        "message"
    ]
    contact = (await gql.do("createContact", "contact { id }", email="ann@x.test", firstName="<Ann>"))["contact"]
    ask = "query ($id: ID!, $of: ID) { previewMessage(messageId: $id, contactId: $of) { subject html text } }"
    seen = (await gql(ask, id=message["id"], of=contact["id"]))["previewMessage"]
    assert seen["subject"] == "S <Ann>"
    assert "<p>Hi &lt;Ann&gt;</p>" in seen["html"]
    assert 'href="https://shop.test/"' in seen["html"]
    assert seen["text"].startswith("Hi <Ann>")
    assert (await gql(ask, id=message["id"]))["previewMessage"]["subject"].strip() == "S"
    sms = (await gql.do("createMessage", "message { id }", name="Short", channel="SMS", text="Hi"))["message"]
    for given in ({"id": sms["id"]}, {"id": "message_999999"}, {"id": message["id"], "of": "contact_999999"}):
        answer = await gql.answer(ask, **given)
        assert "NOT_FOUND" in str(answer.errors)
    assert await database.value(Sql("SELECT count(*) FROM delivery dv")) == 0

    await gql.do("createField", "field { id }", name="times", label="Times", type="NUMBER")
    again = "{% for i in (1..fields.times) %}{{ first_name }}{% endfor %}"
    long = (await gql.do("createMessage", "message { id }", name="L", subject="S", html=again))["message"]["id"]
    for times, told in ((2, None), (1_000_000, "It cannot be filled in for this contact: TEMPLATE_LOOPITERATION")):
        values = [{"name": "times", "value": times}]
        await gql.do("updateContact", "contact { id }", id=contact["id"], fieldValues=values)
        answer = await gql.answer(ask, id=long, of=contact["id"])
        if told is None:
            assert "&lt;Ann&gt;&lt;Ann&gt;" in answer.data["previewMessage"]["html"]
        else:
            (error,) = answer.errors
            assert error["message"].startswith(told)
            assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", "contactId")


async def test_liquid_at_the_beginning_stands_in_the_body(gql) -> None:
    fragment = '{% if tags contains "vip" %}<p>Dear {{ first_name }}</p>{% else %}<p>Hi</p>{% endif %}<p>Bye</p>'
    contact = (await gql.do("createContact", "contact { id }", email="ann@x.test", firstName="Ann"))["contact"]["id"]
    words = {"subject": "S", "preheader": "Psst", "html": fragment}
    made = (await gql.do("createMessage", "message { id }", name="M", **words))["message"]["id"]
    ask = "query ($id: ID!, $of: ID!) { previewMessage(messageId: $id, contactId: $of) { html } }"
    for greeting, tag in (("<p>Hi</p><p>Bye</p>", "x"), ("<p>Dear Ann</p><p>Bye</p>", "vip")):
        await gql.do("addTags", "contact { id }", contactId=contact, tags=[tag])
        html = (await gql(ask, id=made, of=contact))["previewMessage"]["html"]
        before, _, body = html.partition("<body>")
        assert before == "<html><head></head>"
        assert greeting in body
        assert "Psst" in body


async def test_s24_what_a_contact_says_leads_to_no_script(gql) -> None:
    await gql.do("createField", "field { id }", name="site", label="Site", type="TEXTAREA")
    html = """<p>{{ fields.site }}</p><a href="{{ fields.site }}">A</a><a href='{{ fields.site }}'>B</a>"""
    made = (await gql.do("createMessage", "message { id }", name="M", subject="S", html=html))["message"]["id"]
    ask = "query ($id: ID!, $of: ID!) { previewMessage(messageId: $id, contactId: $of) { html } }"
    scripts = ["javascript:alert(1)", " java\nscript:alert(1)", "VBScript:x", "data:text/html,<script>"]
    for number, site in enumerate([*scripts, "https://a.test/?x=javascript:", "data:image/png;base64,AA"]):
        given = {"email": f"p{number}@x.test", "fieldValues": [{"name": "site", "value": site}]}
        contact = (await gql.do("createContact", "contact { id }", **given))["contact"]["id"]
        shown = (await gql(ask, id=made, of=contact))["previewMessage"]["html"]
        assert (shown.count('href="#"') == 2) == (site in scripts), shown


async def test_faults_of_templates_are_told_with_their_line(gql) -> None:
    table = [
        ({"html": "<p>\n{{ frist_name }}</p>"}, "html", "Line 2: there is no frist_name. Did you mean first_name?"),
        ({"html": "{% if %}"}, "html", "Line 1: missing expression."),
        (
            *({"text": "Hi {{ contact.email }}"}, "text"),
            "Line 1: there is no contact: write {{ first_name }}, not {{ contact.first_name }}.",
        ),
        ({"html": "{% for i in (1..1000000000) %}a{% endfor %}"}, "html", "Line 1: loop iteration limit reached."),
        ({"text": "{{ email | upcas }}"}, "text", "Line 1: unknown filter 'upcas'."),
        ({"html": "{% include 'x' %}"}, "html", "Line 1: unexpected tag 'include'."),
        ({"html": "<p>a</p>", "mjml": "<mjml></mjml>"}, "mjml", "Give html or mjml, not both."),
        ({}, "html", "Give html, mjml or text."),
        ({"text": "a", "replyTo": "nobody"}, "replyTo", "This is not an e-mail address we can send to."),
    ]
    for given, where, message in table:
        refused = await gql.refused("createMessage", name="M", subject="S", **given)
        assert [(each["path"], each["message"]) for each in refused["errors"]] == [(["input", where], message)]
    several = await gql.refused("createMessage", name="", subject="{{ nobody }}", html="{% endif %}")
    assert [each["path"][-1] for each in several["errors"]] == ["name", "subject", "html"]
    split = await gql.refused("createMessage", name="M", subject="Hi\r\nBcc: v@x.test", text="a")
    assert [each["code"] for each in split["errors"]] == ["INVALID_CHARACTER"]


async def test_the_outbox_shows_what_became_of_a_step(gql, owner, mailbox: Mailbox) -> None:
    made = await gql.do(
        "createMessage",
        "message { id }",
        name="Hello",
        subject="Hi",
        html="<p>Hi</p>",
        fromName="Ann",
        replyTo="a@b.test",
    )
    message = made["message"]["id"]
    post = await Post.open(owner)
    contact, stranger = await post.subscriber(email="gone@stage.test"), await post.contact()
    mailbox.refused.add("gone@stage.test")
    run, skipped = await post.send(contact, stranger, messageId=message)
    assert await post.walked(skipped) == [("mail", "SKIPPED NO_ACTIVE_LIST")]
    path = "automationRun(id: $id) { path { status delivery { id status reason attempts message { name } } } }"
    asked = f"query ($id: ID!) {{ {path} }}"
    queued = (await gql(asked, id=f"run_{run}"))["automationRun"]["path"][0]
    assert (queued["status"], queued["delivery"]["status"]) == ("COMPLETED", "QUEUED")
    await post.deliver()
    failed = (await gql(asked, id=f"run_{run}"))["automationRun"]["path"][0]["delivery"]
    assert (failed["status"], failed["reason"], failed["message"]["name"]) == ("FAILED", "REFUSED 550", "Hello")
    outbox = "{ deliveries(status: FAILED) { nodes { id bounced contact { email } answer finishedAt } } }"
    (row,) = (await gql(outbox))["deliveries"]["nodes"]
    assert (row["id"], row["bounced"], row["contact"]) == (failed["id"], True, {"email": "gone@stage.test"})
    assert row["answer"] == "550 5.1.1 No such mailbox"
    refused = await gql.refused("resendDelivery", id=failed["id"], confirm=False)
    assert refused["errors"][0]["code"] == "CONFIRMATION_REQUIRED"
    mailbox.refused.clear()
    await memberships.set_status(ids([contact]), post.news, "ACTIVE", by=owner)
    await gql.do("resendDelivery", "delivery { status }", id=failed["id"], confirm=True)
    while await deliver.pass_(await database.value(Sql("SELECT parcours_now() + interval '1 second'"))):
        pass
    (mail,) = mailbox.messages
    assert (mail["From"], mail["Reply-To"]) == ("Ann <hello@parcours.test>", "a@b.test")
    assert (await gql("{ deliveries(status: SENT) { totalCount } }"))["deliveries"]["totalCount"] == 1
    again = await gql.refused("resendDelivery", id=failed["id"], confirm=True)
    assert again["errors"][0]["code"] == "NOT_RESENDABLE"
    texts = await gql.do("createMessage", "message { id }", name="T", channel="SMS", text="Hi")
    wrong, *_ = await post.send(contact, messageId=texts["message"]["id"])
    assert await post.walked(wrong) == [("mail", "FAILED MISSING_REFERENCE")]
