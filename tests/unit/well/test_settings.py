"""Settings: read once, and every problem said at once."""

from __future__ import annotations

import pytest

from libs.contracts.errors import Rejected
from libs.qonto.endpoints import PRODUCTION, SANDBOX
from libs.xero.endpoints import XERO
from well.settings import from_environment

URL = "http://localhost:4100"

WHOLE = {
    "XERO_CLIENT_ID": "xero-id",
    "XERO_CLIENT_SECRET": "xero-secret",
    "QONTO_CLIENT_ID": "qonto-id",
    "QONTO_CLIENT_SECRET": "qonto-secret",
}


def test_every_missing_variable_is_named_at_once_with_what_belongs_into_it() -> None:
    with pytest.raises(Rejected) as refused:
        from_environment({"HOME": "/root"}, URL)
    assert refused.value.code == "settings_missing"
    lines = refused.value.sentence.splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:5]] == list(WHOLE)
    assert all(line.split(": ", 1)[1] for line in lines[1:5])
    assert lines[6:] == [f"  Xero: {URL}/connect/xero/callback", f"  Qonto: {URL}/connect/qonto/callback"]


@pytest.mark.parametrize("name", sorted(WHOLE))
@pytest.mark.parametrize("empty", [True, False])
def test_one_that_is_missing_or_empty_is_named_alone(name: str, *, empty: bool) -> None:
    environment = {**WHOLE, name: ""} if empty else {key: value for key, value in WHOLE.items() if key != name}
    with pytest.raises(Rejected) as refused:
        from_environment(environment, URL)
    assert [other for other in WHOLE if f"  {other}:" in refused.value.sentence] == [name]


def test_with_all_of_them_the_real_providers_are_asked() -> None:
    settings = from_environment(WHOLE, URL)
    assert (settings.xero_client_id, settings.qonto_client_secret) == ("xero-id", "qonto-secret")
    assert (settings.xero, settings.qonto) == (XERO, PRODUCTION)
    assert settings.database_url is None
    assert (settings.sign_in, settings.mcp_consent) == ("ticket", "page")
    assert not settings.documents_from_loopback


def test_only_a_plain_yes_lets_clients_keep_their_document_on_this_machine() -> None:
    assert from_environment({**WHOLE, "WELL_LOOPBACK_CLIENTS": "yes"}, URL).documents_from_loopback
    assert not from_environment({**WHOLE, "WELL_LOOPBACK_CLIENTS": "0"}, URL).documents_from_loopback


def test_a_staging_token_chooses_the_sandbox_and_an_address_the_database() -> None:
    settings = from_environment({**WHOLE, "QONTO_STAGING_TOKEN": "t", "WELL_DATABASE_URL": "postgresql://db/well"}, URL)
    assert settings.qonto == SANDBOX
    assert settings.database_url == "postgresql://db/well"


def test_a_stand_in_is_asked_instead_of_a_provider_wherever_its_address_is_given() -> None:
    settings = from_environment({**WHOLE, "WELL_XERO_URL": "http://x:1/", "WELL_QONTO_URL": "http://q:2"}, URL)
    assert {settings.xero.api_url, settings.xero.token_url} == {"http://x:1/api.xro/2.0", "http://x:1/connect/token"}
    assert {settings.qonto.api_url, settings.qonto.token_url} == {"http://q:2", "http://q:2/oauth2/token"}


def test_no_secret_shows_when_settings_are_printed() -> None:
    environment = {**WHOLE, "QONTO_STAGING_TOKEN": "staging-token", "WELL_DATABASE_URL": "postgresql://u:hidden@db/w"}
    shown = repr(from_environment(environment, URL))
    assert not [secret for secret in ("xero-secret", "qonto-secret", "staging-token", "hidden") if secret in shown]


@pytest.mark.parametrize(
    "url",
    [
        "db.example/well",
        "mysql://db/well",
        "postgresql:",
        "postgresql://u@db:port/well",
        "postgresql://u@[::1/well",
        "postgresql://u:se#cret@db/well",
        "postgresql://u:se/cret@db/well",
    ],
)
def test_an_address_that_is_no_postgres_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Rejected, match="WELL_DATABASE_URL is no address of a Postgres") as refused:
        from_environment({**WHOLE, "WELL_DATABASE_URL": url}, URL)
    assert refused.value.code == "bad_database_url"
    assert url not in refused.value.sentence.split()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///well?host=/run/postgresql",
        "postgres://u:p@%23@db:5432/well?sslmode=require",
        "postgresql://u@a:1,b,[::1]:2/well",
        "postgresql://db",
    ],
)
def test_every_form_that_postgres_knows_of_an_address_is_taken(url: str) -> None:
    assert from_environment({**WHOLE, "WELL_DATABASE_URL": url}, URL).database_url == url


@pytest.mark.parametrize("url", ["foo", "ftp://x", "http://x:port", "http://x y", "http://"])
def test_an_address_of_a_stand_in_that_is_none_is_refused(url: str) -> None:
    for name in ("WELL_XERO_URL", "WELL_QONTO_URL"):
        with pytest.raises(Rejected, match=f"{name} is no address") as refused:
            from_environment({**WHOLE, name: url}, URL)
        assert refused.value.code == "bad_settings"


def test_an_empty_address_is_none() -> None:
    assert from_environment({**WHOLE, "WELL_DATABASE_URL": ""}, URL).database_url is None
