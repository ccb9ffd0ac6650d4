"""The files of the repository, as the tests of the house rules read them."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[2]

PROGRAM: Final = ("libs", "services", "well")
"""The folders of what runs; `deploy` and `tests` are beside them."""


@dataclass(frozen=True)
class Source:
    """One file.

    Attributes:
        name: Its path in the repository, with slashes.
    """

    name: str

    @cached_property
    def text(self) -> str:
        """What it holds."""
        return (REPOSITORY / self.name).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """What it says, in Python."""
        return ast.parse(self.text, self.name)

    @property
    def folder(self) -> str:
        """The first folder of its path."""
        return self.name.split("/", 1)[0]

    @cached_property
    def _walked(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    def nodes(self) -> Iterator[ast.AST]:
        """Every node of its tree."""
        return iter(self._walked)


@cache
def tracked() -> tuple[str, ...]:
    """The files that git knows and that are there."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("the house rules are about a repository, and this is a copy without one")
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)  # noqa: S607 git is where the person's own path finds it
    return tuple(name for name in listed.stdout.splitlines() if (REPOSITORY / name).is_file())


@cache
def _all_python() -> tuple[Source, ...]:
    return tuple(Source(name) for name in tracked() if name.endswith(".py"))


def python(*folders: str) -> tuple[Source, ...]:
    """The Python files of these folders; of all when none is named."""
    return tuple(source for source in _all_python() if not folders or source.folder in folders)


def place(source: Source, node: ast.AST) -> str:
    """Where a finding stands, as an editor jumps to it."""
    return f"{source.name}:{getattr(node, 'lineno', 0)}"


def dotted(node: ast.AST) -> str:
    """The name that an expression spells, such as `time.sleep`; empty for anything but names and dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Every call of a source with the name that is called."""
    for node in source.nodes():
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)
