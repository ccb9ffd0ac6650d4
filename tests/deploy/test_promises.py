"""What the manifests ask of the code, the code has: commands, variables, one version."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Final

import typer

from libs.qonto.standin.beginning import DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET
from tests.deploy.rendered import OVERLAYS, environment, of_kind, pod_templates
from tests.deploy.test_compose import OURS
from tests.house.tree import REPOSITORY, dotted, python
from well.cli import app


def _known_commands() -> set[str]:
    return set(getattr(typer.main.get_command(app), "commands", {}))


def _read_variables() -> set[str]:
    return {
        node.value
        for source in python("libs", "services", "well")
        for node in source.nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch("(WELL|XERO|QONTO)_[A-Z][A-Z_]*", node.value)
    }


def test_every_command_that_is_started_is_one_of_ours() -> None:
    started = {pod["spec"]["containers"][0]["args"][0] for overlay in OVERLAYS for _, pod in pod_templates(overlay)} | {
        one["command"][0] for one in OURS.values() if "entrypoint" not in one
    }
    assert started - _known_commands() == set()


def test_every_variable_that_is_set_is_read() -> None:
    told = {name for overlay in OVERLAYS for _, pod in pod_templates(overlay) for name in environment(overlay, pod)}
    told |= {name for one in OURS.values() for name in one.get("environment", ())}
    assert told - {"OWNER_PASSWORD"} - _read_variables() == set()


_PAGE: Final = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")


def test_the_page_for_operators_names_every_figure_and_no_other() -> None:
    gauges = {
        node.args[0].value
        for source in python("libs", "services", "well")
        for node in source.nodes()
        if isinstance(node, ast.Call) and dotted(node.func) in ("Gauge", "Counter", "Histogram") and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    assert gauges
    assert set(re.findall(r"`(well_[a-z_]+)`", _PAGE)) == gauges


def test_the_page_for_operators_names_commands_that_there_are() -> None:
    ours = getattr(typer.main.get_command(app), "commands", {})
    named = re.findall(r"(?:^|`)well ([a-z]+)(?: ([a-z]+))?", _PAGE, re.MULTILINE)
    assert {("up", ""), ("topics", "apply")} <= set(named)
    assert [one for one in named if one[0] not in ours] == []
    groups = {name: getattr(command, "commands", None) for name, command in ours.items()}
    assert [one for one in named if one[1] and groups[one[0]] is not None and one[1] not in groups[one[0]]] == []


def test_the_page_for_operators_names_every_secret_and_no_other() -> None:
    mounted = {
        (name, item["key"])
        for _, pod in pod_templates("eu")
        for volume in pod["spec"]["volumes"]
        for name in [volume.get("secret", {}).get("secretName")]
        for item in volume.get("secret", {}).get("items", ())
    }
    told = {
        (reference["name"], reference["key"])
        for _, pod in pod_templates("eu")
        for variable in pod["spec"]["containers"][0].get("env", ())
        for reference in [variable.get("valueFrom", {}).get("secretKeyRef")]
        if reference
    }
    rows = re.findall(r"^\| ((?:`well-[a-z-]+`(?:, )?)+) \| (.*?) \|", _PAGE, re.MULTILINE)
    listed = {name: keys for names, keys in rows for name in re.findall(r"`([a-z-]+)`", names)}
    assert set(listed) == {name for name, _ in mounted | told}
    made_by_the_operator = {"well-postgres-app", "well-postgres-ca"}
    for name, key in mounted | told:
        assert f"`{key}`" in listed[name] or name in made_by_the_operator


def test_the_page_for_operators_names_the_client_that_the_stand_ins_know() -> None:
    assert f"`{DEFAULT_CLIENT}` with the secret `{DEFAULT_CLIENT_SECRET}`" in _PAGE


def test_regions_run_the_version_of_the_code() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for overlay in ("eu", "uk"):
        for deployment in of_kind(overlay, "Deployment").values():
            assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == f"well:{version}"
