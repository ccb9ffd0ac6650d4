"""The house rules about tests."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY, calls, place, python, tracked


def _says_why(call: ast.Call) -> bool:
    reasons = [word.value for word in call.keywords if word.arg == "reason"] or call.args
    return any(isinstance(reason, ast.JoinedStr) or getattr(reason, "value", "") for reason in reasons)


def test_every_skip_says_why() -> None:
    silent = [
        place(source, call)
        for source in python("tests")
        for call, name in calls(source)
        if (name in ("pytest.skip", "pytest.mark.skip") and not _says_why(call))
        or (name == "pytest.mark.skipif" and "reason" not in {word.arg for word in call.keywords})
    ]
    bare = [
        place(source, decorator)
        for source in python("tests")
        for node in source.nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator) == "pytest.mark.skip"
    ]
    assert silent + bare == []


def test_no_test_is_expected_to_fail() -> None:
    expected = [
        place(source, node)
        for source in python("tests")
        for node in source.nodes()
        if isinstance(node, ast.Attribute) and node.attr == "xfail"
    ]
    assert expected == []


def test_folders_of_tests_are_no_packages() -> None:
    assert [name for name in tracked() if name.startswith("tests/") and name.endswith("__init__.py")] == []


def test_the_name_of_a_test_is_a_sentence() -> None:
    words_min = 3
    short = [
        f"{place(source, node)} {node.name}"
        for source in python("tests")
        for node in source.nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and len(node.name.removeprefix("test_").split("_")) < words_min
    ]
    assert short == []


@pytest.mark.parametrize(("shared", "status"), [("/where/they/are", 1), (None, 0)])
def test_a_run_that_has_the_shared_files_fails_when_it_skips(tmp_path: Path, shared: str | None, status: int) -> None:
    file = tmp_path / "test_one.py"
    file.write_text("import pytest\n\ndef test_one():\n    pytest.skip('for a reason')\n", "utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.support.skipped", "-ra", "-n", "1", "--rootdir", tmp_path, file],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if name != "WELL_SHARED"}
        | ({"WELL_SHARED": shared} if shared else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == status, ran.stdout + ran.stderr
    assert "for a reason" in ran.stdout
    assert "Skipped: 1;" in ran.stdout
