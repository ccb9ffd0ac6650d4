"""The page on which a person chooses the organisation to connect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from aiohttp import web

_ASKED: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Xero stand-in</title>
<style>body{{font:16px/1.5 system-ui;max-width:34em;margin:4em auto;padding:0 1em;color:#22262e}}
button,select{{font:inherit;padding:.4em .9em;margin:.3em .3em .3em 0}}li{{color:#5a606b}}</style></head>
<body><h1>Xero stand-in</h1>
{content}
</body></html>
"""


def consent_page(asked: Mapping[str, str], organisations: Sequence[tuple[str, str]]) -> web.Response:
    """A form that carries the request along and asks for one of the organisations."""
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in _ASKED if name in asked
    )
    choices = "\n".join(f'<option value="{escape(tenant)}">{escape(name)}</option>' for tenant, name in organisations)
    scopes = "\n".join(f"<li>{escape(scope)}</li>" for scope in asked["scope"].split())
    return _page(
        f"""<p><strong>{escape(asked["client_id"])}</strong> wants to read an organisation of yours:</p>
<ul>{scopes}</ul>
<form method="post" action="/identity/connect/authorize">
{hidden}
<p><select name="tenant_id" aria-label="Organisation">
{choices}
</select></p>
<button name="decision" value="approve">Allow access</button>
<button name="decision" value="deny">Cancel</button>
</form>"""
    )


def refusal_page(sentence: str) -> web.Response:
    """Xero's way to refuse a request for consent: a page for the person, and no redirect."""
    return _page(f"<p>Sorry, something went wrong.</p><p><code>{escape(sentence)}</code></p>", status=400)


def _page(content: str, *, status: int = 200) -> web.Response:
    return web.Response(status=status, text=_PAGE.format(content=content), content_type="text/html")
