"""The compose file says what Kubernetes is told, for one machine."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any, Final

import jsonschema
import pytest
import yaml

from libs.contracts.topics import TOPICS
from libs.database.schemas import SERVICES as WITH_A_SCHEMA
from tests.deploy.rendered import DEPLOY, environment, of_kind, service_of
from tests.deploy.test_services import SERVICES
from tests.house.tree import REPOSITORY

_TEXT: Final = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")

COMPOSE: Final[dict[str, Any]] = yaml.load(_TEXT, Loader=yaml.CSafeLoader)

OURS: Final = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "well:local"}
"""What runs our image."""


def _schema() -> dict[str, Any]:
    shipped = files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json")
    return dict(json.loads(shipped.read_text(encoding="utf-8")))


def test_the_file_is_what_the_compose_specification_takes() -> None:
    errors = jsonschema.validators.validator_for(_schema())(_schema()).iter_errors(COMPOSE)
    assert [f"{list(error.path)}: {error.message}" for error in errors] == []


def test_the_specification_refuses_a_field_that_nobody_knows() -> None:
    misspelt = {**COMPOSE, "services": {"auth": {"imaage": "well:local"}}}
    with pytest.raises(jsonschema.ValidationError, match="imaage"):
        jsonschema.validate(misspelt, _schema())


def test_every_service_of_the_code_runs_by_its_name() -> None:
    running = {name: one["command"] for name, one in OURS.items() if one["command"][0] == "run"}
    assert running == {service: ["run", service] for service in SERVICES}


def test_standins_run_only_when_they_are_asked_for() -> None:
    asked_for = {name for name, one in COMPOSE["services"].items() if "profiles" in one}
    assert asked_for == {"xero-standin", "qonto-standin"}
    for name in asked_for:
        module = OURS[name]["entrypoint"][-1]
        assert (REPOSITORY / module.replace(".", "/") / "__main__.py").is_file()


def test_a_service_is_told_the_same_variables_as_in_kubernetes() -> None:
    of_one_side = {"WELL_XERO_URL", "WELL_QONTO_URL", "WELL_PUBLIC_URL"}
    for name, deployment in of_kind("eu", "Deployment").items():
        told = set(environment("eu", deployment["spec"]["template"]))
        assert set(OURS[service_of(name)]["environment"]) - of_one_side == told - of_one_side


def test_every_container_of_ours_is_closed_in() -> None:
    for name, one in OURS.items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "pids_limit"} <= set(one), name
        assert not {"privileged", "user", "network_mode", "pid", "cap_add"} & set(one), name


def test_nothing_listens_beyond_this_machine_and_no_store_at_all() -> None:
    ports = [port for one in COMPOSE["services"].values() for port in one.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    for store in ("postgres", "kafka"):
        assert "ports" not in COMPOSE["services"][store]
        assert COMPOSE["services"][store]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert COMPOSE["services"]["matcher"]["networks"] == ["inside"], "it talks to no provider"


def test_no_secret_stands_in_the_file_and_none_is_shown_to_another_service() -> None:
    assert {name: one["file"] for name, one in COMPOSE["secrets"].items()} == {
        name: f"secrets/{name}" for name in ("postgres", "key", *SERVICES)
    }
    for service in SERVICES - {"auth"}:
        assert OURS[service]["secrets"] == [service]
        assert OURS[service]["environment"]["WELL_SERVICE_SECRET_FILE"] == f"/run/secrets/{service}"
    assert OURS["auth"]["secrets"] == ["key"]
    assert set(OURS["migrate"]["secrets"]) == SERVICES & set(WITH_A_SCHEMA)
    for one in OURS.values():
        told = one.get("environment", {})
        assert {value for name, value in told.items() if re.search("SECRET$|TOKEN|CLIENT_ID", name)} <= {None}
    assert re.findall(r"://\w+:([^@$\s]+)@", _TEXT) == []


def test_a_server_that_browsers_and_services_ask_has_one_address_for_both() -> None:
    for service, address in (
        ("xero_mcp", OURS["ingest"]["environment"]["WELL_XERO_MCP_URL"]),
        ("xero-standin", "http://xero.localhost:4801"),
        ("qonto-standin", "http://qonto.localhost:4802"),
    ):
        host, port = address.removeprefix("http://").split(":")
        assert OURS[service]["networks"]["inside"]["aliases"] == [host]
        assert OURS[service]["ports"] == [f"127.0.0.1:{port}:{port}"]
        listens = OURS[service].get("environment", {}).get("WELL_LISTEN", "")
        assert port in (listens.rpartition(":")[2], *OURS[service]["command"])


@pytest.mark.parametrize("path", ["deploy/.env", "deploy/secrets/"])
def test_git_knows_nothing_of_what_is_secret(path: str) -> None:
    assert path in (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_what_reads_or_writes_topics_starts_after_they_are_made() -> None:
    assert OURS["topics"]["command"][:2] == ["topics", "apply"]
    speak = {topic.owner for topic in TOPICS} | {reader for topic in TOPICS for reader in topic.readers}
    for service in speak & SERVICES:
        waits = {name: wait["condition"] for name, wait in OURS[service]["depends_on"].items()}
        once = "service_completed_successfully"
        assert waits.items() >= {"migrate": once, "topics": once}.items()
        assert waits.get("auth", "") == ("" if service == "auth" else "service_healthy")


def test_documents_are_written_by_ingest_and_only_read_by_the_pusher() -> None:
    volumes = {service: OURS[service].get("volumes", []) for service in SERVICES}
    assert {service: kept for service, kept in volumes.items() if kept} == {
        "ingest": ["documents:/var/lib/well/documents"],
        "pusher": ["documents:/var/lib/well/documents:ro"],
    }
