"""The stand-in's OAuth server does what Qonto documents.

Source, unless a test names another: docs.qonto.com/api-reference/business-api/authentication, "OAuth 2.0".
"""

from __future__ import annotations

import re

import pytest

from libs.contracts.errors import ConsentLost, Rejected
from libs.qonto.standin import DEFAULT_ORGANIZATION
from tests.contract.qonto.desk import CLIENT, REDIRECT, Desk, answer_of

SECRET = CLIENT["client_secret"]


async def test_a_person_chooses_an_organization_on_a_page_and_the_token_is_bound_to_it(desk: Desk) -> None:
    await desk.order("organizations", id="other", name="Autre <SARL>")
    page = await desk.authorize()
    assert (page.status_code, page.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    assert "Autre &lt;SARL&gt;" in page.text
    consent = re.search(r'name=consent value="([^"]+)"', page.text)
    assert consent is not None
    pressed = {"consent": consent[1], "organization_id": "other", "answer": "grant"}
    back = answer_of(await desk.http.post(desk.standin.endpoints.authorize_url, data=pressed))
    assert back["state"] == "a-state-of-length"
    tokens = (await desk.redeem(back["code"])).json()
    assert (await desk.client.organization(tokens["access_token"])).id == "other"
    again = await desk.http.post(desk.standin.endpoints.authorize_url, data=pressed)
    assert again.status_code == 400


async def test_a_yes_without_a_page_goes_to_the_organization_named_by_request_or_setting(desk: Desk) -> None:
    """`organization_id` skips the choice of an organization."""
    for name in ("second", "third"):
        await desk.order("organizations", id=name, name=name)
    await desk.order("settings", consent="auto", consent_organization="second")
    for named, expected in ((None, "second"), ("third", "third")):
        code = answer_of(await desk.authorize(organization_id=named))["code"]
        token = (await desk.redeem(code)).json()["access_token"]
        assert (await desk.client.organization(token)).id == expected


async def test_a_person_may_refuse(desk: Desk) -> None:
    consent = re.search(r'name=consent value="([^"]+)"', (await desk.authorize()).text)
    assert consent is not None
    answer = await desk.http.post(desk.standin.endpoints.authorize_url, data={"consent": consent[1], "answer": "deny"})
    assert answer_of(answer)["error"] == "access_denied"


async def test_a_redirect_must_equal_a_registered_one(desk: Desk) -> None:
    registered = "https://well.example/connected?from=qonto"
    await desk.order("clients", client_id="strict", client_secret=SECRET, redirect_uris=[registered])
    await desk.order("settings", consent="auto")
    good = await desk.authorize(client_id="strict", redirect_uri=registered)
    assert good.headers["Location"].startswith(f"{registered}&code=")
    for other in (f"{registered}/", "https://well.example/connected", REDIRECT, "https://elsewhere.example/"):
        assert (await desk.authorize(client_id="strict", redirect_uri=other)).status_code == 400
    assert (await desk.authorize(redirect_uri="https://elsewhere.example/")).status_code == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"state": "1234567"}, "invalid_state"),
        ({"state": None}, "invalid_state"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "payment.write"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
async def test_a_wrong_request_goes_back_with_an_error(desk: Desk, changed: dict[str, str | None], error: str) -> None:
    """State of 8 characters: Ory Hydra's minimum. Scope: "The OAuth 2.0 Client is not allowed to request scope"."""
    assert answer_of(await desk.authorize(**changed))["error"] == error


async def test_tokens_live_an_hour_and_90_days(desk: Desk) -> None:
    tokens = (await desk.redeem(await desk.code())).json()
    assert (tokens["expires_in"], tokens["token_type"]) == (3600, "bearer")
    assert (await desk.client.organization(tokens["access_token"])).id == str(DEFAULT_ORGANIZATION)
    desk.standin.world.advance(3600)
    with pytest.raises(ConsentLost):
        await desk.client.organization(tokens["access_token"])
    desk.standin.world.advance(90 * 86_400 - 3601)
    assert (await desk.refresh(tokens["refresh_token"])).status_code == 200
    desk.standin.world.advance(1)
    assert (await desk.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_refresh_token_comes_only_with_offline_access(desk: Desk) -> None:
    await desk.order("settings", consent="auto")
    code = answer_of(await desk.authorize(scope="organization.read"))["code"]
    assert "refresh_token" not in (await desk.redeem(code)).json()


async def test_a_code_lives_ten_minutes_and_works_once(desk: Desk) -> None:
    """The second use also ends what the first one got: RFC 6749, 4.1.2."""
    late, twice = await desk.code(), await desk.code()
    tokens = (await desk.redeem(twice)).json()
    assert (await desk.redeem(twice)).json()["error"] == "invalid_grant"
    assert (await desk.refresh(tokens["refresh_token"])).status_code == 400
    desk.standin.world.advance(600)
    assert (await desk.redeem(late)).json()["error"] == "invalid_grant"


async def test_the_verifier_and_the_redirect_of_a_code_are_checked(desk: Desk) -> None:
    """PKCE with a confidential client works at Qonto: seen by qontoctl."""
    code = await desk.code()
    assert (await desk.redeem(code, code_verifier="another")).json()["error"] == "invalid_grant"
    assert (await desk.redeem(code, redirect_uri=f"{REDIRECT}/")).json()["error"] == "invalid_grant"
    assert (await desk.redeem(code)).status_code == 200


async def test_client_credentials_count_only_in_the_body(desk: Desk) -> None:
    """n8n-io/n8n issue 9178: "Client authentication failed ... unsupported authentication method"."""
    form = {"grant_type": "refresh_token", "refresh_token": "any"}
    basic = (CLIENT["client_id"], CLIENT["client_secret"])
    answer = await desk.http.post(desk.standin.endpoints.token_url, data=form, auth=basic)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    wrong = await desk.http.post(desk.standin.endpoints.token_url, data={**form, **CLIENT, "client_secret": "x"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


async def test_a_refresh_rotates_and_the_old_token_works_for_60_more_seconds(desk: Desk) -> None:
    """Documented: "remains valid within a grace period of 60 seconds after its first usage"."""
    old = (await desk.redeem(await desk.code())).json()["refresh_token"]
    new = (await desk.refresh(old)).json()["refresh_token"]
    assert new != old
    desk.standin.world.advance(59)
    assert (await desk.refresh(old)).status_code == 200
    desk.standin.world.advance(2)
    assert (await desk.refresh(old)).json()["error"] == "invalid_grant"
    assert (await desk.refresh(new)).status_code == 200


async def test_revoking_a_token_ends_its_grant(desk: Desk) -> None:
    """`/oauth2/revoke` on the OAuth host: found by qontoctl. A token nobody knows is no error: RFC 7009, 2.2."""
    tokens = (await desk.redeem(await desk.code())).json()
    for token in (tokens["refresh_token"], "never-heard-of"):
        answer = await desk.http.post(desk.standin.endpoints.revocation_url, data={**CLIENT, "token": token})
        assert answer.status_code == 200
    with pytest.raises(ConsentLost):
        await desk.client.organization(tokens["access_token"])
    assert (await desk.refresh(tokens["refresh_token"])).status_code == 400


async def test_revoking_the_consent_ends_it_for_everybody(desk: Desk) -> None:
    """DELETE /v2/oauth2/consents, 204: Qonto's Postman collection, "Revoke OAuth 2 consents"."""
    tokens = (await desk.redeem(await desk.code())).json()
    await desk.client.revoke_consent(tokens["access_token"])
    with pytest.raises(ConsentLost):
        await desk.client.revoke_consent(tokens["access_token"])


async def test_a_call_without_its_scope_is_forbidden(desk: Desk) -> None:
    """Documented: "missing required oauth scope", code `forbidden`: seen live by qontoctl."""
    token = desk.standin.token(scopes=("supplier_invoice.read",))
    answer = await desk.call("GET", "/v2/organization", token)
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (403, "missing required oauth scope")
    assert answer.json()["trace_id"]
    with pytest.raises(Rejected) as refused:
        await desk.client.organization(token)
    assert refused.value.code == "forbidden"


async def test_tokens_can_be_had_without_a_page_and_revoked_from_outside(desk: Desk) -> None:
    tokens = await desk.order("tokens", scope="offline_access organization.read")
    assert (await desk.client.organization(tokens["access_token"])).id == str(DEFAULT_ORGANIZATION)
    assert (await desk.refresh(tokens["refresh_token"])).status_code == 200
    assert (await desk.order("revoke"))["grants_revoked"] == 2
    with pytest.raises(ConsentLost):
        await desk.client.organization(tokens["access_token"])
