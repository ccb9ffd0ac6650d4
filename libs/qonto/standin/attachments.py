"""Files: kept by the bytes they begin with, shown with an address that is good for 30 minutes.

Source: docs.qonto.com, "Upload an attachment" and "Retrieve an attachment".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import web

from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.beginning import SIGNING_KEY
from libs.qonto.standin.grants import SECOND, organization_of
from libs.qonto.standin.multipart import parts_of
from libs.qonto.standin.remembered import recall, remember
from libs.qonto.standin.store import moment_of, written
from libs.qonto.standin.world import WORLD, World

URL_SECONDS: Final = 1800
"""Seconds an address of a file is good for. Source: "Retrieve an attachment": 30 minutes."""


_EXPIRES: Final = re.compile(r"[0-9]{1,18}")
_KINDS: Final = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


def sniff(content: bytes) -> str | None:
    """The kind of a file by its first bytes: PDF, PNG or JPEG; None for anything else."""
    return next((kind for magic, kind in _KINDS if content.startswith(magic)), None)


def keep(world: World, organization_id: str, file_name: str, kind: str, content: bytes) -> str:
    """Keep a file; answers with its id."""
    attachment_id = str(uuid4())
    digest = hashlib.sha256(content).hexdigest()
    world.store.run(
        "insert into attachments values (?, ?, ?, ?, ?, ?, ?)",
        attachment_id,
        organization_id,
        file_name,
        kind,
        digest,
        content,
        world.micros(),
    )
    return attachment_id


async def upload(request: web.Request) -> web.Response:
    """Keep a lone file; the idempotency header is required."""
    world = request.app[WORLD]
    organization_id = organization_of(world, request.headers.get("Authorization", ""), "attachment.write")
    key = request.headers.get("X-Qonto-Idempotency-Key", "")
    if not key:
        raise Refusal(400, "required", "X-Qonto-Idempotency-Key is required", {"parameter": "X-Qonto-Idempotency-Key"})
    remembered = recall(world, organization_id, "attachments", key)
    if remembered is not None:
        return json_answer(remembered)
    parts = {part.name: part for part in await parts_of(request)}
    file = parts.get("file")
    kind = sniff(file.content) if file is not None else None
    if file is None or file.file_name is None or kind is None:
        raise Refusal(422, "invalid", "File is missing or of a wrong content type", {"pointer": "/file"})
    with world.store.transaction():
        answer = {"attachment": {"id": keep(world, organization_id, file.file_name, kind, file.content)}}
        remember(world, organization_id, "attachments", key, answer)
    return json_answer(answer)


async def show(request: web.Request) -> web.Response:
    """What is known of a file, and where its bytes are for the next 30 minutes."""
    world = request.app[WORLD]
    authorization = request.headers.get("Authorization", "")
    organization_id = organization_of(world, authorization, "attachment.read", "organization.read")
    row = world.store.row(
        "select id, file_name, content_type, length(content) as size, created_at from attachments "
        "where id = ? and organization_id = ?",
        request.match_info["id"],
        organization_id,
    )
    if row is None:
        raise Refusal(404, "not_found", "Attachment not found", {"parameter": "id"})
    expires = world.micros() + URL_SECONDS * SECOND
    signed = urlencode({"expires": expires, "signature": _signature(world, row["id"], expires)})
    file = {
        "file_name": row["file_name"],
        "file_content_type": row["content_type"],
        "file_size": str(row["size"]),
        "url": f"{request.url.origin()}/files/{row['id']}?{signed}",
    }
    created = written(moment_of(row["created_at"]))
    probative = {"status": "pending", "file_name": None, "file_content_type": None, "file_size": None, "url": None}
    answer = {"id": row["id"], "created_at": created, **file, "probative_attachment": probative}
    return json_answer({"attachment": answer})


async def download(request: web.Request) -> web.Response:
    """The bytes, to whoever has the address while it is good; no token is asked for."""
    world, attachment_id = request.app[WORLD], request.match_info["id"]
    expires = request.query.get("expires", "")
    good = _EXPIRES.fullmatch(expires) and hmac.compare_digest(
        request.query.get("signature", "").encode(), _signature(world, attachment_id, int(expires)).encode()
    )
    if not good or world.micros() >= int(expires):
        return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>", content_type="application/xml")
    row = world.store.row("select content, content_type from attachments where id = ?", attachment_id)
    if row is None:
        raise Refusal(404, "not_found", "File not found", {"parameter": "id"})
    return web.Response(body=row["content"], content_type=row["content_type"])


def _signature(world: World, attachment_id: str, expires: int) -> str:
    key = (world.store.kept(SIGNING_KEY) or "").encode()
    return hmac.new(key, f"{attachment_id} {expires}".encode(), hashlib.sha256).hexdigest()
