"""The papers beside the code: decisions, settings, the lock file."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import Final

import pytest

from tests.house.tree import REPOSITORY, Source, python, tracked
from well import settings

_ADRS: Final = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))

_STATUS: Final = re.compile(r"Status: (proposed|accepted|superseded by \d{4}), \d{4}-\d{2}-\d{2}")


@pytest.mark.parametrize("name", [file.name for file in _ADRS])
def test_a_decision_has_its_number_a_title_a_status_and_its_parts(name: str) -> None:
    lines = Source(f"docs/adr/{name}").text.splitlines()
    assert re.fullmatch(rf"# {int(name[:4])}\. [A-Z].*[^.]", lines[0])
    assert _STATUS.fullmatch(lines[2])
    assert {"## Context", "## Decision"} <= set(lines)


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(file.name[:4]) for file in _ADRS] == list(range(1, len(_ADRS) + 1))


def test_every_variable_that_is_read_stands_in_the_readme() -> None:
    read = {
        node.value
        for source in python()
        if not source.name.startswith("tests/deploy/")  # these tell what is set
        for node in source.nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch("WELL_[A-Z][A-Z_]*", node.value)
    }
    readme = Source("README.md").text
    assert [name for name in sorted(read | set(settings.REQUIRED)) if f"`{name}`" not in readme] == []


def test_the_lock_pins_every_package_with_hashes_and_without_addresses() -> None:
    lock = Source("requirements.lock").text
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", lock)
    entries = [entry for entry in re.split(r"\n(?=\S)", lock.strip()) if not entry.startswith("#")]
    assert [entry.split("\n")[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_the_lock_holds_every_package_that_is_asked_for() -> None:
    project = tomllib.loads(Source("pyproject.toml").text)
    groups = project["dependency-groups"].values()
    asked = [*project["project"]["dependencies"], *(one for group in groups for one in group if isinstance(one, str))]
    names = {re.split(r"[\[>=<~!; ]", requirement)[0] for requirement in asked}
    locked = set(
        re.findall(r"^([A-Za-z0-9_.-]+)==", Source("requirements.lock").text.replace("[", "==["), re.MULTILINE)
    )
    assert sorted(names - locked) == []


def test_every_source_can_be_looked_up_by_a_stranger() -> None:
    """Not in a note that is no part of the repository."""
    notes = re.compile(r"\bfacts[ /](on )?\w+(\.md|, (section )?\d)|\bdesign\.m" + "d")
    assert [
        name for name in tracked() if name.endswith((".py", ".md", ".sql")) and notes.search(Source(name).text)
    ] == []


def test_links_between_the_papers_lead_somewhere() -> None:
    broken = [
        f"{name}: {target}"
        for name in tracked()
        if name.endswith(".md")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", Source(name).text)
        if not (REPOSITORY / name).parent.joinpath(target).exists()
    ]
    assert broken == []
