"""`/files`: what is to be imported is uploaded here as it is, and what was made is downloaded."""

from __future__ import annotations

import hmac
import re
from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from kit import clock, ids
from kit.db import jsonb
from services import audit, stored_files
from services.audit import Entry
from services.caller import Caller, Role
from services.stored_files import StoredFile
from web import auth
from web.errors import refusal

CHUNK_BYTES = 1_000_000
NAME_LENGTH_MAX = 200
LINK = "link"  # in the audit log: whoever was given the address of a file
_LINK = re.compile(r"([1-9][0-9]{0,17})-([0-9]{1,12})-([0-9a-f]{64})", re.ASCII)


def routes() -> list[BaseRoute]:
    """Where files come in and go out."""
    return [Route("/files", _upload, methods=["POST"]), Route("/files/{file}", _download, methods=["GET"])]


async def _upload(request: Request) -> Response:
    """The body is the file; `?name=` says what it is called. Only admins import."""
    request_id = request.scope.get("request_id", "")
    by = await auth.caller(auth.bearer(request.headers.get("authorization")))
    if by is None:
        return _unauthenticated(request_id)
    if by.role < Role.ADMIN:
        return refusal(403, request_id, message="Your role cannot upload files; it takes ADMIN.")
    if request.headers.get("content-type", "").startswith("multipart/"):
        return refusal(415, request_id, message="Send the file itself as the body, with Content-Type: text/csv.")
    by = by.at(await clock.now())
    if seconds := await stored_files.upload_wait_seconds(by=by):
        return refusal(429, request_id, {"retry-after": str(int(seconds) + 1)})
    file = await stored_files.begin(_name(request), by=by, kept=stored_files.KEPT_HALF)
    size, waiting = 0, bytearray()
    try:
        async for part in request.stream():
            size += len(part)
            waiting += part
            if len(waiting) >= CHUNK_BYTES:
                await stored_files.append(file, bytes(waiting))
                waiting.clear()
    except HTTPException as error:
        await stored_files.delete(file)
        return refusal(error.status_code, request_id, message="The file is larger than this server takes.")
    except ClientDisconnect:
        await stored_files.delete(file)
        return Response(status_code=400)
    if not size:
        await stored_files.delete(file)
        return refusal(400, request_id, message="The file is empty.")
    if waiting:
        await stored_files.append(file, bytes(waiting))
    await stored_files.complete(file, now=by.now, kept=stored_files.KEPT_UPLOADED)
    await audit.record(Entry("uploadFile", [ids.give("file", file)], request_id=request_id), by=by)
    return Response(
        jsonb({"id": ids.give("file", file), "name": _name(request), "size": size}), 201, media_type="application/json"
    )


def _name(request: Request) -> str:
    """A name to show, never a path."""
    given = PurePath(request.query_params.get("name", "").replace("\\", "/")).name
    return "".join(sign for sign in given if sign.isprintable())[:NAME_LENGTH_MAX].strip() or "upload.csv"


async def _download(request: Request) -> Response:
    """By a link that was given out, or by its id for whoever may see it. Everything else is not there."""
    request_id = request.scope.get("request_id", "")
    wanted = request.path_params["file"]
    now = await clock.now()
    if link := _LINK.fullmatch(wanted):
        number, until = int(link[1]), int(link[2])
        good = hmac.compare_digest(await stored_files.signature(number, until), link[3])
        file = await stored_files.find(number, now=now) if good and until >= now.timestamp() else None
        by = Caller(actor=LINK, now=now)
    else:
        user = await auth.caller(auth.bearer(request.headers.get("authorization")))
        if user is None:
            return _unauthenticated(request_id)
        by = user.at(now)
        file = await _own(ids.find("file", wanted) or 0, by)
    if file is None:
        return refusal(404, request_id)
    subjects = [ids.give("file", file.id), *([ids.give("job", file.job_id)] if file.job_id else [])]
    await audit.record(Entry("downloadFile", subjects, request_id=request_id), by=by)
    return StreamingResponse(
        stored_files.content(file),
        media_type=f"{file.media_type}; charset=utf-8",
        headers={
            "content-length": str(file.size),
            "content-disposition": f'attachment; filename="{_plain(file.name)}"',
        },
    )


async def _own(number: int, by: Caller) -> StoredFile | None:
    file = await stored_files.find(number, now=by.now)
    return file if file and (by.role >= Role.ADMIN or file.user_id == by.user_id) else None


def _plain(name: str) -> str:
    """A name that can stand in a header."""
    return re.sub(r"[^A-Za-z0-9._ -]", "_", name)


def _unauthenticated(request_id: str) -> Response:
    return refusal(401, request_id, {"www-authenticate": auth.CHALLENGE})
