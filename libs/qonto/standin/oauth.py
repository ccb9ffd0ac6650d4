"""Qonto's OAuth 2.0 server, an Ory Hydra: consent page, token endpoint with rotation, revocation.

Source: docs.qonto.com, "OAuth 2.0" (authorize, token, refresh, revoke consents); client credentials in the body only:
n8n-io/n8n issue 9178; `/oauth2/revoke`: qontoctl, tested against the sandbox.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from aiohttp import web

from libs.qonto.standin import grants
from libs.qonto.standin.answers import html_answer, json_answer
from libs.qonto.standin.organizations import organizations
from libs.qonto.standin.store import Row
from libs.qonto.standin.world import WORLD, World

STATE_MIN: Final = 8
"""Characters. Hydra's own minimum; Qonto's examples are not all that long, its documentation is silent."""

CODE_SECONDS: Final = 600
"""Seconds a code lives. Source: docs.qonto.com, "OAuth 2.0": 10 minutes."""

CONSENT_SECONDS: Final = 3600
"""Seconds a consent page may stay open; Hydra's own figure."""

SCOPES: Final = frozenset(
    (
        "openid offline_access organization.read membership.read attachment.read attachment.write client.read "
        "client_invoices.read supplier_invoice.read supplier_invoice.write einvoicing.read webhook"
    ).split()
)
"""Scopes a client of the stand-in may ask for: those that read, and those an integration like ours writes with."""


class OAuthRefusal(Exception):
    """Ends a token request the way RFC 6749, 5.2 says."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


def add_routes(app: web.Application) -> None:
    """Serve OAuth's four addresses, and the one of the API that ends a consent."""
    app.router.add_get("/oauth2/auth", ask_for_consent)
    app.router.add_post("/oauth2/auth", answer_consent)
    app.router.add_post("/oauth2/token", give_tokens)
    app.router.add_post("/oauth2/revoke", revoke)
    app.router.add_delete("/v2/oauth2/consents", revoke_consents)


async def ask_for_consent(request: web.Request) -> web.Response:
    """Check the request, then ask a person which organization to grant; with `consent=auto`, say yes at once."""
    world, query = request.app[WORLD], request.query
    client = world.store.row("select * from clients where id = ?", query.get("client_id", ""))
    redirect_uri = query.get("redirect_uri", "")
    if client is None or not grants.redirect_allowed(client, redirect_uri):
        # Never a redirect from here: the address is not known to belong to the client.
        return html_answer("The request is not valid", "Unknown client, or a redirect that is not registered.", 400)
    wrong = _wrong_with(query)
    if wrong is not None:
        return _redirect(redirect_uri, error=wrong[0], error_description=wrong[1], state=query.get("state", ""))
    consent_id = secrets.token_urlsafe(24)
    world.store.run("delete from consents where asked_at < ?", world.micros() - CONSENT_SECONDS * grants.SECOND)
    world.store.run(
        "insert into consents values (?, ?, ?, ?, ?, ?, ?)",
        consent_id,
        client["id"],
        redirect_uri,
        query["scope"],
        query["state"],
        query.get("code_challenge"),
        world.micros(),
    )
    named = query.get("organization_id")
    if world.settings.consent == "auto":
        return _settle(world, consent_id, named or world.settings.consent_organization or organizations(world)[0][0])
    return _page(world, consent_id, client["id"], query["scope"], named)


async def answer_consent(request: web.Request) -> web.Response:
    """What the person pressed."""
    form = await request.post()
    organization_id = str(form.get("organization_id", "")) if form.get("answer") == "grant" else None
    return _settle(request.app[WORLD], str(form.get("consent", "")), organization_id)


async def give_tokens(request: web.Request) -> web.Response:
    """Tokens for a code or for a refresh token."""
    world, form = request.app[WORLD], await request.post()
    try:
        tokens = _exchange(world, _client(world, request, form), form)
    except OAuthRefusal as refusal:
        return _oauth_error(refusal)
    answer: dict[str, object] = {
        "access_token": tokens.access,
        "expires_in": grants.ACCESS_SECONDS,
        "scope": tokens.scope,
        "token_type": "bearer",
    }
    if tokens.refresh is not None:
        answer["refresh_token"] = tokens.refresh
    return json_answer(answer, headers={"Cache-Control": "no-store"})


async def revoke(request: web.Request) -> web.Response:
    """End a grant by one of its tokens. Source: RFC 7009."""
    world, form = request.app[WORLD], await request.post()
    try:
        client = _client(world, request, form)
    except OAuthRefusal as refusal:
        return _oauth_error(refusal)
    grants.revoke_token(world, client["id"], str(form.get("token", "")))
    return web.Response()


async def revoke_consents(request: web.Request) -> web.Response:
    """End every grant of the organization."""
    world = request.app[WORLD]
    organization_id = grants.organization_of(world, request.headers.get("Authorization", ""), "organization.read")
    grants.revoke_organization(world, organization_id)
    return web.Response(status=204)


def _wrong_with(query: Mapping[str, str]) -> tuple[str, str] | None:
    """The error of an authorize request, and a sentence; None when it is sound."""
    if query.get("response_type") != "code":
        return "unsupported_response_type", "Only response_type=code is served."
    if len(query.get("state", "")) < STATE_MIN:
        return "invalid_state", f"The state must be at least {STATE_MIN} characters."
    wanted = query.get("scope", "").split()
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        return "invalid_scope", f"The OAuth 2.0 Client is not allowed to request scope '{' '.join(unknown)}'."
    if "code_challenge" in query and query.get("code_challenge_method") != "S256":
        return "invalid_request", "Only the code challenge method S256 is served."
    return None


def _settle(world: World, consent_id: str, organization_id: str | None) -> web.Response:
    """Answer an open question, once: back to the client with a code, or with `access_denied`."""
    asked = world.store.row("select * from consents where id = ?", consent_id)
    if asked is None:
        return html_answer("This page was answered before", "Start again from the application.", 400)
    if organization_id is not None and organization_id not in dict(organizations(world)):
        return html_answer("No such organization", "Choose one of those on the page.", 400)
    world.store.run("delete from consents where id = ?", consent_id)
    if organization_id is None:
        words = {"error": "access_denied", "error_description": "The resource owner denied the request"}
        return _redirect(asked["redirect_uri"], state=asked["state"], **words)
    code = "ory_ac_" + secrets.token_urlsafe(32)
    with world.store.transaction():
        grant_id = grants.grant(world, asked["client_id"], organization_id, asked["scope"])
        world.store.run(
            "insert into codes (code, grant_id, redirect_uri, challenge, expires_at) values (?, ?, ?, ?, ?)",
            code,
            grant_id,
            asked["redirect_uri"],
            asked["challenge"],
            world.micros() + CODE_SECONDS * grants.SECOND,
        )
    return _redirect(asked["redirect_uri"], code=code, scope=asked["scope"], state=asked["state"])


def _exchange(world: World, client: Row, form: Mapping[str, object]) -> grants.Tokens:
    if form.get("grant_type") == "authorization_code":
        return _redeem(world, client, form)
    if form.get("grant_type") != "refresh_token":
        raise OAuthRefusal(400, "unsupported_grant_type", "Use authorization_code or refresh_token.")
    tokens = grants.rotate(world, client["id"], str(form.get("refresh_token", "")))
    if tokens is None:
        raise OAuthRefusal(400, "invalid_grant", "The refresh token is expired, used or revoked.")
    return tokens


def _redeem(world: World, client: Row, form: Mapping[str, object]) -> grants.Tokens:
    code = str(form.get("code", ""))
    row = world.store.row("select * from codes join grants on grants.id = grant_id where code = ?", code)
    if row is None or row["client_id"] != client["id"] or world.micros() >= row["expires_at"]:
        raise OAuthRefusal(400, "invalid_grant", "The code is unknown or expired.")
    if row["used"]:
        world.store.run("update grants set revoked = 1 where id = ?", row["grant_id"])  # RFC 6749, 4.1.2
        raise OAuthRefusal(400, "invalid_grant", "The code was used before.")
    if form.get("redirect_uri") != row["redirect_uri"]:
        raise OAuthRefusal(400, "invalid_grant", "The redirect is not the one the code was made for.")
    if row["challenge"] is not None and not _proves(str(form.get("code_verifier", "")), row["challenge"]):
        raise OAuthRefusal(400, "invalid_grant", "The PKCE code verifier does not match the challenge.")
    world.store.run("update codes set used = 1 where code = ?", code)
    return grants.issue(world, row["grant_id"], row["scope"])


def _proves(verifier: str, challenge: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


def _client(world: World, request: web.Request, form: Mapping[str, object]) -> Row:
    if "Authorization" in request.headers:
        raise OAuthRefusal(
            401, "invalid_client", "Client authentication failed (unsupported authentication method: use the body)."
        )
    client = world.store.row("select * from clients where id = ?", str(form.get("client_id", "")))
    secret = str(form.get("client_secret", ""))
    if client is None or not hmac.compare_digest(secret.encode(), str(client["secret"]).encode()):
        raise OAuthRefusal(401, "invalid_client", "Client authentication failed.")
    return client


def _oauth_error(refusal: OAuthRefusal) -> web.Response:
    return json_answer({"error": refusal.error, "error_description": refusal.description}, refusal.status)


def _redirect(uri: str, **answer: str) -> web.Response:
    target = urlsplit(uri)
    query = "&".join(filter(None, [target.query, urlencode(answer)]))
    return web.Response(status=303, headers={"Location": urlunsplit(target._replace(query=query))})


def _page(world: World, consent_id: str, client_id: str, scope: str, named: str | None) -> web.Response:
    choices = "".join(
        f"<p><label><input type=radio name=organization_id value='{html.escape(id_)}' required"
        f"{' checked' if at == 0 else ''}> {html.escape(name)}</label></p>"
        for at, (id_, name) in enumerate(entry for entry in organizations(world) if named in {None, entry[0]})
    )
    scopes = "".join(f"<li><code>{html.escape(word)}</code></li>" for word in scope.split())
    page = f"""<!doctype html><html lang=en><meta charset=utf-8><title>Qonto stand-in: consent</title>
<style>body{{font:16px/1.5 system-ui;max-width:34rem;margin:4rem auto;padding:0 1rem}}</style>
<h1>Let {html.escape(client_id)} use your Qonto?</h1>
<p>This is a stand-in for Qonto: nothing here is a real account.</p><p>It asks for:</p><ul>{scopes}</ul>
<form method=post action="/oauth2/auth"><input type=hidden name=consent value="{consent_id}">{choices}
<button name=answer value=grant>Allow</button> <button name=answer value=deny>Refuse</button></form></html>"""
    return web.Response(text=page, content_type="text/html")
