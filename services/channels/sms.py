"""Text messages: hand one over to the gateway of this deployment, at most once."""

from __future__ import annotations

import orjson

from kit import config
from services.channels.http import Answer, Client

_IDS = ("id", "messageId", "message_id", "sid", "reference")


def is_configured() -> bool:
    """Whether this deployment sends text messages at all."""
    return config.settings().sms_url is not None


async def send(client: Client, to: str, text: str, key: str) -> Answer:
    """What the gateway answered. `key` is the same at every attempt. NotAnswered as by `Client.post`."""
    known = config.settings()
    assert known.sms_url is not None, "ask is_configured() before"
    headers = {"idempotency-key": key}
    if known.sms_token is not None:
        headers["authorization"] = f"Bearer {known.sms_token.get_secret_value()}"
    given = {"to": to, "text": text, "key": key}
    body = orjson.dumps(_filled(orjson.loads(known.sms_template), given))
    return await client.post(known.sms_url, body, headers, anywhere=True)


def _filled(shape: object, given: dict[str, str]) -> object:
    """The JSON of the template with its words in their places: values are put into texts, never into JSON."""
    match shape:
        case dict():
            return {key: _filled(each, given) for key, each in shape.items()}
        case list():
            return [_filled(each, given) for each in shape]
        case str() if shape.strip("{}") in given and shape == "{" + shape.strip("{}") + "}":
            return given[shape.strip("{}")]
        case _:
            return shape


def name_of(answer: Answer) -> str | None:
    """What the gateway calls the message, if it says so."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    found = next((said[key] for key in _IDS if said.get(key)), None) if isinstance(said, dict) else None
    return None if found is None else str(found)[:200]
