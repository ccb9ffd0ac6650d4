"""What a service that runs apart is told, and what it says when it is told too little."""

from __future__ import annotations

from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest

from libs.contracts.errors import Rejected
from libs.qonto.endpoints import PRODUCTION, SANDBOX
from services.auth.domain.rights import RIGHTS
from well.apart import NEEDS, apart_from
from well.commands.run import Service
from well.part import PARTS
from well.transport import Cluster

TOLD = {
    "WELL_DATABASE_URL": "postgresql://db/well",
    "WELL_KEY_FILE": "/keys/key",
    "WELL_SERVICE_SECRET_FILE": "/keys/secret",
    "WELL_AUTH_URL": "http://auth:8080",
    "WELL_XERO_MCP_URL": "https://mcp.example.com",
    "WELL_BLOBS": "/blobs",
}

APPS = {
    name: name.lower() for name in ("XERO_CLIENT_ID", "XERO_CLIENT_SECRET", "QONTO_CLIENT_ID", "QONTO_CLIENT_SECRET")
}

STANDINS = {
    "WELL_XERO_URL": "http://xero:1",
    "WELL_QONTO_URL": "http://qonto:2",
    "WELL_OPEN_WORKSPACE": "d1a5c0de-0000-4000-8000-00000000cafe",
}


def test_every_service_that_runs_apart_can_be_named_put_together_and_known_by_auth() -> None:
    assert set(NEEDS) == set(get_args(Service)) == {"auth", *PARTS, "insights"}
    assert {*PARTS, "insights"} <= set(RIGHTS)


@pytest.mark.parametrize("service", sorted(NEEDS))
def test_every_variable_that_is_missing_is_named_at_once_with_what_belongs_into_it(service: str) -> None:
    with pytest.raises(Rejected) as refused:
        apart_from(service, {})
    assert refused.value.code == "settings_missing"
    lines = refused.value.sentence.splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == list(NEEDS[service])
    assert all(len(line.split(": ", 1)[1]) > 10 for line in lines)


def test_the_key_is_auths_alone_and_so_are_the_apps_secrets() -> None:
    assert [service for service, names in NEEDS.items() if "WELL_KEY_FILE" in names] == ["auth"]
    with pytest.raises(Rejected, match="XERO_CLIENT_SECRET"):
        apart_from("auth", TOLD)
    auth, pusher = apart_from("auth", {**TOLD, **APPS}), apart_from("pusher", {**TOLD, **APPS})
    assert (auth.settings.xero_client_secret, pusher.settings.xero_client_secret) == ("xero_client_secret", "")


def test_a_container_listens_on_all_its_addresses_and_a_test_where_it_says() -> None:
    apart = apart_from("matcher", TOLD)
    assert (apart.host, apart.port, apart.grpc) == ("0.0.0.0", 8080, "0.0.0.0:9090")  # noqa: S104 what is promised
    assert apart.public_url == "http://localhost:8080"
    told = {**TOLD, "WELL_LISTEN": "127.0.0.1:81", "WELL_GRPC_LISTEN": "::1", "WELL_PUBLIC_URL": "https://well.example"}
    with pytest.raises(Rejected, match="WELL_GRPC_LISTEN is '::1'"):
        apart_from("matcher", told)
    apart = apart_from("matcher", {**told, "WELL_GRPC_LISTEN": "127.0.0.1:82"})
    assert (apart.host, apart.port, apart.grpc) == ("127.0.0.1", 81, "127.0.0.1:82")
    assert apart.public_url == "https://well.example"


def test_the_sandbox_is_chosen_by_its_token_for_those_who_call_qonto() -> None:
    assert apart_from("pusher", TOLD).settings.qonto == PRODUCTION
    assert apart_from("ingest", {**TOLD, "QONTO_STAGING_TOKEN": "t"}).settings.qonto == SANDBOX
    assert apart_from("ingest", TOLD).blobs == Path("/blobs")


def test_visits_are_open_to_all_only_where_stand_ins_take_the_place_of_both_providers() -> None:
    settings = apart_from("auth", {**TOLD, **STANDINS}).settings
    assert settings.open_workspace == UUID(STANDINS["WELL_OPEN_WORKSPACE"])
    assert settings.qonto.api_url.startswith("http://qonto:2")
    for name in ("WELL_XERO_URL", "WELL_QONTO_URL"):
        with pytest.raises(Rejected, match="is for stand-ins"):
            apart_from("auth", {**TOLD, **STANDINS, name: ""})
    with pytest.raises(Rejected, match="no id of a workspace"):
        apart_from("auth", {**TOLD, **STANDINS, "WELL_OPEN_WORKSPACE": "mine"})


def test_events_come_through_postgres_unless_a_cluster_is_named() -> None:
    assert apart_from("pusher", TOLD).cluster is None
    assert apart_from("pusher", {**TOLD, "WELL_KAFKA": "k:9092"}).cluster == Cluster("k:9092", "")
    named = {**TOLD, "WELL_KAFKA": "k:9092,l:9092", "WELL_TOPIC_PREFIX": "eu."}
    assert apart_from("pusher", named).cluster == Cluster("k:9092,l:9092", "eu.")


def test_nothing_secret_stands_in_what_it_says_of_itself() -> None:
    told = {**TOLD, **APPS, "WELL_DATABASE_URL": "postgresql://well:hunter2@db/well"}
    said = repr(apart_from("auth", told))
    assert "hunter2" not in said
    assert "xero_client_secret'" not in said
