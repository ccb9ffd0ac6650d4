"""Every manifest is what Kubernetes, or the operator that reads it, takes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import jsonschema
import kubernetes_validate
import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from tests.deploy.rendered import DEPLOY, KUBERNETES, OVERLAYS, Manifest, rendered

_CUSTOM: Final = {
    file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in (Path(__file__).parent / "schemas").glob("*.yaml")
}

_LINT: Final = YamlLintConfig(
    "extends: default\n"
    "rules:\n"
    "  line-length: {max: 140}\n"
    "  document-start: disable\n"  # a file of one document needs no mark where it starts
    "  comments: {min-spaces-from-content: 1}\n"
    "  indentation: {indent-sequences: whatever}\n"  # kafka-topics.yaml is made by PyYAML, which does not indent them
    "  octal-values: {forbid-implicit-octal: false}\n"  # modes of files are said as everybody says them
)


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _built_in() -> list[tuple[str, Manifest]]:
    return [(overlay, found) for overlay in OVERLAYS for found in rendered(overlay) if found["kind"] not in _CUSTOM]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_takes_every_resource_of_its_own_kinds(overlay: str) -> None:
    wrong = []
    for manifest in rendered(overlay):
        if manifest["kind"] not in _CUSTOM:
            try:
                kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
            except kubernetes_validate.ValidationError as error:
                wrong.append(f"{_name(manifest)}: {list(error.path)}: {error.message}")
    assert wrong == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_operators_take_every_resource_of_theirs(overlay: str) -> None:
    custom = [manifest for manifest in rendered(overlay) if manifest["kind"] in _CUSTOM]
    wrong = [
        f"{_name(manifest)}: {list(error.path)}: {error.message}"
        for manifest in custom
        for error in jsonschema.Draft202012Validator(_CUSTOM[manifest["kind"]]).iter_errors(manifest)
    ]
    assert custom
    assert wrong == []


@pytest.mark.parametrize("kind", sorted(_CUSTOM))
def test_a_schema_of_an_operator_refuses_a_field_that_nobody_knows(kind: str) -> None:
    manifest = next(found for overlay in OVERLAYS for found in rendered(overlay) if found["kind"] == kind)
    misspelt = {**manifest, "spec": {**manifest["spec"], "replikas": 3}}
    with pytest.raises(jsonschema.ValidationError, match="replikas"):
        jsonschema.validate(misspelt, _CUSTOM[kind], jsonschema.Draft202012Validator)


def test_kubernetes_schemas_refuse_a_field_that_nobody_knows() -> None:
    _, manifest = next(found for found in _built_in() if found[1]["kind"] == "Deployment")
    misspelt = {**manifest, "spec": {**manifest["spec"], "replikas": 3}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replikas"):
        kubernetes_validate.validate(misspelt, KUBERNETES, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_resource_is_there_twice(overlay: str) -> None:
    names = [_name(manifest) for manifest in rendered(overlay)]
    assert sorted(names) == sorted(set(names))


def test_every_file_of_the_deployment_is_tidy() -> None:
    problems = [
        f"{file.relative_to(DEPLOY)}:{problem.line}: {problem.message}"
        for file in sorted(DEPLOY.rglob("*.yaml"))
        for problem in linter.run(file.read_text(encoding="utf-8"), _LINT)
    ]
    assert problems == []
