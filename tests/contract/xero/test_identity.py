"""Consent, tokens and connections of the stand-in, as Xero documents them.

Source: developer.xero.com/documentation/guides/oauth2/ auth-flow, token-types, scopes and tenants; Xero-OpenAPI 16.1.0,
identity.
"""

from __future__ import annotations

import base64
import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from libs.contracts.errors import ConsentLost, Rejected
from tests.contract.xero.world import CLIENT, REDIRECT, TENANT, World


def form_in(page: str) -> dict[str, str]:
    """The hidden fields of the consent page."""
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in fields}


def came_back(answer: httpx.Response) -> dict[str, str]:
    """What the redirect to the app carries."""
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


async def test_a_person_chooses_the_organisation_and_the_app_gets_tokens(world: World) -> None:
    await world.tell("organisations", tenant_id="other", name="<b>Other & Sons</b>")
    page = await world.http.send(world.authorize(state='a "state" & more'))
    assert "<b>Other" not in page.text
    form = {**form_in(page.text), "tenant_id": "other", "decision": "approve"}
    answer = await world.http.post(world.standin.endpoints.authorize_url, data=form)
    back = came_back(answer)
    assert back["state"] == 'a "state" & more'
    tokens = (await world.exchange(back["code"])).json()
    assert (tokens["expires_in"], tokens["token_type"]) == (1800, "Bearer")
    (connection,) = (await world.client.connections(tokens["access_token"])).records
    assert connection["tenantId"] == "other"


async def test_a_person_may_say_no(world: World) -> None:
    form = form_in((await world.http.send(world.authorize())).text)
    answer = await world.http.post(world.standin.endpoints.authorize_url, data={**form, "decision": "deny"})
    assert came_back(answer) == {"error": "access_denied", "state": "a state"}


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://127.0.0.1:4712/connected"},
        {"redirect_uri": "http://well.example/connected"},
        {"redirect_uri": None},
        {"client_id": "somebody"},
        {"response_type": "token"},
        {"scope": "accounting.transactions.read"},
        {"scope": "accounting.invoices"},
        {"scope": None},
        {"code_challenge_method": "plain"},
    ],
)
async def test_a_wrong_request_for_consent_is_a_page_and_never_a_redirect(
    world: World, changed: dict[str, str | None]
) -> None:
    await world.tell("settings", consent="auto")
    assert (await world.http.send(world.authorize(**changed))).status_code == 400


@pytest.mark.parametrize("redirect", ["https://well.example/connected?a=1", "http://localhost:80/x"])
async def test_https_and_localhost_are_taken(world: World, redirect: str) -> None:
    code = await world.code(redirect_uri=redirect)
    assert (await world.exchange(code, redirect_uri=redirect)).status_code == 200


async def test_a_code_is_taken_once(world: World) -> None:
    code = await world.code()
    assert (await world.exchange(code)).status_code == 200
    again = await world.exchange(code)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


async def test_a_code_lives_five_minutes(world: World) -> None:
    code = await world.code()
    await world.tell("clock", advance_seconds=300)
    assert (await world.exchange(code)).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("changed", [{"code_verifier": "another"}, {"redirect_uri": "http://localhost:1/x"}])
async def test_a_code_is_taken_only_from_whom_it_was_meant_for(world: World, changed: dict[str, str]) -> None:
    assert (await world.exchange(await world.code(), **changed)).json() == {"error": "invalid_grant"}


async def test_the_app_proves_itself_in_the_body_or_in_the_header(world: World) -> None:
    wrong = await world.exchange(await world.code(), **{**CLIENT, "client_secret": "guessed"})
    assert (wrong.status_code, wrong.json()) == (400, {"error": "invalid_client"})
    form = {"grant_type": "refresh_token", "refresh_token": (await world.tokens())["refresh_token"]}
    basic = httpx.BasicAuth(CLIENT["client_id"], CLIENT["client_secret"])
    answer = await world.http.post(world.standin.endpoints.token_url, data=form, auth=basic)
    assert answer.status_code == 200


async def test_an_access_token_is_a_jwt_that_names_the_consent_and_lives_thirty_minutes(world: World) -> None:
    token = await world.token()
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    (connection,) = (await world.client.connections(token)).records
    assert claims["authentication_event_id"] == connection["authEventId"]
    assert claims["exp"] - claims["nbf"] == 1800
    await world.tell("clock", advance_seconds=1800)
    with pytest.raises(ConsentLost):
        await world.client.connections(token)


async def test_without_offline_access_there_is_no_refresh_token(world: World) -> None:
    assert "refresh_token" not in await world.tokens(scope="accounting.invoices.read")


async def test_scopes_add_up_until_they_are_revoked(world: World) -> None:
    await world.token(scope="accounting.contacts.read")
    both = await world.token(scope="accounting.invoices.read")
    assert (await world.client.contacts(both, TENANT, page=1)).records == ()
    await world.tell("revoke", tenant_id=TENANT)
    with pytest.raises(Rejected):
        await world.client.contacts(await world.token(scope="accounting.invoices.read"), TENANT, page=1)


async def test_a_refresh_gives_a_new_token_and_the_old_one_has_thirty_minutes_more(world: World) -> None:
    first = (await world.tokens())["refresh_token"]
    second = (await world.refresh(first)).json()["refresh_token"]
    assert second != first
    await world.tell("clock", advance_seconds=1799)
    assert (await world.refresh(first)).status_code == 200
    await world.tell("clock", advance_seconds=1)
    assert (await world.refresh(first)).json() == {"error": "invalid_grant"}
    assert (await world.refresh(second)).status_code == 200


async def test_a_refresh_whose_answer_was_lost_can_be_repeated(world: World) -> None:
    token = (await world.tokens())["refresh_token"]
    await world.tell("faults", path="/connect/token", kind="lost")
    with pytest.raises(httpx.TransportError):
        await world.refresh(token)
    assert (await world.refresh(token)).status_code == 200


async def test_an_unused_refresh_token_lives_sixty_days(world: World) -> None:
    token = (await world.tokens())["refresh_token"]
    await world.tell("clock", advance_seconds=60 * 86_400)
    assert (await world.refresh(token)).json() == {"error": "invalid_grant"}


async def test_a_token_that_is_given_back_ends_all_that_its_user_granted(world: World) -> None:
    await world.tell("settings", user="one bookkeeper")
    first, second = await world.tokens(), await world.tokens()
    form = {**CLIENT, "token": first["refresh_token"]}
    answer = await world.http.post(world.standin.endpoints.revocation_url, data=form)
    assert (answer.status_code, answer.content) == (200, b"")
    with pytest.raises(ConsentLost):
        await world.client.connections(second["access_token"])
    assert (await world.refresh(second["refresh_token"])).json() == {"error": "invalid_grant"}


async def test_a_user_of_two_organisations_sees_both_and_can_tell_which_is_new(world: World) -> None:
    await world.tell("organisations", tenant_id="other", name="Other")
    await world.tell("settings", user="one bookkeeper", tenant_id=TENANT)
    await world.token()
    await world.tell("settings", tenant_id="other")
    token = await world.token()
    both = (await world.client.connections(token)).records
    assert {record["tenantId"] for record in both} == {TENANT, "other"}
    event = next(record["authEventId"] for record in both if record["tenantId"] == "other")
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{world.standin.endpoints.connections_url}?authEventId={event}"
    assert [one["tenantId"] for one in (await world.http.get(url, headers=headers)).json()] == ["other"]


async def test_a_connection_that_is_deleted_is_closed_and_its_token_lives_on(world: World) -> None:
    token = await world.token()
    (connection,) = (await world.client.connections(token)).records
    url, headers = f"{world.standin.url}/connections/{connection['id']}", {"Authorization": f"Bearer {token}"}
    assert (await world.http.delete(url, headers=headers)).status_code == 204
    assert (await world.http.delete(url, headers=headers)).status_code == 404
    assert (await world.client.connections(token)).records == ()
    with pytest.raises(Rejected):
        await world.client.invoices(token, TENANT, page=1)


async def test_an_organisation_can_revoke_everything(world: World) -> None:
    tokens = await world.tokens()
    await world.tell("revoke", tenant_id=TENANT)
    with pytest.raises(ConsentLost):
        await world.client.invoices(tokens["access_token"], TENANT, page=1)
    assert (await world.refresh(tokens["refresh_token"])).json() == {"error": "invalid_grant"}
