"""Bytes that no browser sends: the answer is a page with a sentence, and never that auth failed."""

from __future__ import annotations

import asyncio
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest

from libs.auth_client.wire import SESSION_COOKIE
from tests.contract.auth.conftest import Stage
from tests.contract.auth.test_bad_input import nothing_is_connected

_FORM = "application/x-www-form-urlencoded"
_PARTS = "multipart/form-data"
_PART = b'--x\r\nContent-Disposition: form-data; name="form"\r\n\r\n'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (_FORM, b"form=\xff\xfe"),
        (_FORM, b"form=%ff%fe"),
        (_FORM, "form=é".encode()),
        (f"{_FORM}; charset=nope", b"form=\xff"),
        (f"{_FORM}; charset=utf-16", b"\xff\xfe"),
        (f"{_FORM}; charset=base64", b"form=a&form=b"),
        (_FORM, b"form=a&form=b"),
        (_FORM, b"&".join(b"a%d=b" % number for number in range(2000))),
        (_PARTS, b"form"),
        (f"{_PARTS}; boundary=x", b""),
        (f"{_PARTS}; boundary=x", b"--x\r\n\r\nform\r\n--x--"),
        (f"{_PARTS}; boundary=x", _PART + b"\xff\r\n--x--\r\n"),
        (f"{_PARTS}; boundary=x", _PART + b"token\r\n--x--\r\n"),
        (f"{_PARTS}; boundary=x", b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n"),
        (f"{_PARTS}; boundary={'x' * 71}", b""),
        ("application/json", b"[]"),
        ("nonsense", b"form=a"),
        ("", b"form=a"),
    ],
    ids=range(18),
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_body_that_is_no_form_is_told_so(quick: Stage, kind: str, body: bytes, encoding: str) -> None:
    async with quick.auth.signed_in(uuid4()) as browser:
        for path in ("/consents/mcp", "/connect/xero/choice", "/connections/xero/disconnect"):
            headers = {"Content-Type": kind, "Content-Encoding": encoding}
            answer = await browser.post(f"{quick.auth.url}{path}", content=body, headers=headers)
            assert answer.status_code == httpx.codes.BAD_REQUEST
            assert "This form cannot be read" in answer.text
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("raw", [b"\xff", b"\xed\xa0\x80", "é".encode(), b"%ff", b"%ed%a0%80", b"%00"])
async def test_letters_of_no_alphabet_are_a_wrong_word_like_any_other(quick: Stage, raw: bytes) -> None:
    workspace = uuid4()
    bare = workspace.hex.encode() + b"." + raw
    word = quote(
        bare, safe="%"
    ).encode()  # aiohttp itself refuses an address with such bytes in it, and takes the cookie
    stranger, named = {b"Cookie": b"well_session=" + bare}, {b"Cookie": await _session(quick, workspace)}
    for headers, target, status in (
        (stranger, b"/connections", 403),
        (stranger, b"/consents/mcp?request=a", 403),
        (named, b"/consents/mcp?request=" + word, 400),
        (named, b"/connect/xero/callback?code=c&state=" + word, 400),
        (named, b"/connect/xero?return_to=//" + word, 400),
        (named, b"/sign-in?ticket=" + word, 403),
    ):
        assert await _status(quick, b"GET " + target, headers) == status, target
    await nothing_is_connected(quick, workspace)


async def _session(stage: Stage, workspace: UUID) -> bytes:
    """The cookie of a browser that is signed in for a workspace."""
    async with stage.auth.signed_in(workspace) as browser:
        return f"{SESSION_COOKIE}={browser.cookies[SESSION_COOKIE]}".encode()


async def _status(stage: Stage, line: bytes, headers: dict[bytes, bytes]) -> int:
    """What a request line is answered that no client library would send."""
    address = httpx.URL(stage.auth.url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in headers.items())
    writer.write(line + b" HTTP/1.1\r\nHost: auth\r\nConnection: close\r\n" + fields + b"\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])
