"""The house rules of CONTRIBUTING.md that can be read off the sources. A finding names its place."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Final

from libs.contracts.topics import TOPICS
from tests.house.tree import PROGRAM, Source, calls, dotted, place, python, tracked

LINES_MAX: Final = 300
"""Lines of a file: the house asks for about 260, and this is where about ends."""

FUNCTION_LINES_MAX: Final = 60
"""Lines of a function with its docstring: the house asks for about 40 without."""

_WRITTEN: Final = (".py", ".sql", ".js", ".css", ".html", ".sh", ".md", ".toml")

_NO_NAMES: Final = {"utils", "util", "common", "helpers", "helper", "base", "core", "manager", "misc"}

_OF_MONEY: Final = re.compile(r"(^|_)(amount|total|price|tax|minor|money|net|gross|balance)(_|$)")

_NOQA: Final = re.compile(r"#\s*noqa(?P<rules>: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*)?(?P<reason>.*)")


def test_files_are_small_rooms() -> None:
    written = (Source(name) for name in tracked() if name.endswith(_WRITTEN))
    assert [source.name for source in written if len(source.text.splitlines()) > LINES_MAX] == []


def test_functions_are_small_too() -> None:
    long = [
        place(source, node)
        for source in python()
        for node in source.nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    ours = [
        name for name in tracked() if not name.startswith("deploy/base/")
    ]  # what Kustomize calls what overlays share
    empty = [name for name in ours if _NO_NAMES & {part.removesuffix(".py") for part in PurePosixPath(name).parts}]
    assert empty == []


def test_there_are_two_broad_excepts_both_in_the_consumer_loop() -> None:
    broad = [
        source.name
        for source in python(*PROGRAM, "deploy")
        for node in source.nodes()
        if (isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _only_tidies_up(node))
        or (isinstance(node, ast.Call) and dotted(node.func).endswith("suppress") and any(map(_is_broad, node.args)))
    ]
    assert broad == ["libs/bus/dealing.py"] * 2


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_is_broad, caught.elts))
    return caught is None or dotted(caught) in ("Exception", "BaseException")


def _only_tidies_up(handler: ast.ExceptHandler) -> bool:
    """Whether it never looks at what it caught, and raises it in any case."""
    last, ways_out = handler.body[-1], (ast.Return, ast.Break, ast.Continue, ast.Yield)
    raised = isinstance(last, ast.Raise) and last.exc is None
    return raised and handler.name is None and not any(isinstance(node, ways_out) for node in ast.walk(handler))


def test_no_exception_is_swallowed() -> None:
    swallowed = [
        place(source, node)
        for source in python(*PROGRAM)
        for node in source.nodes()
        if isinstance(node, ast.ExceptHandler) and all(isinstance(said, ast.Pass) for said in node.body)
    ]
    assert swallowed == []


def test_nothing_is_left_for_later() -> None:
    """Of comments in Python ruff sees to it."""
    words = re.compile(r"\b(TO" + "DO|FIX" + r"ME)\b")
    others = (Source(name) for name in tracked() if name.endswith(_WRITTEN) or "." not in name)
    later = [source.name for source in others if not source.name.endswith(".py") and words.search(source.text)]
    stubs = [
        place(source, node)
        for source in python()
        for node in source.nodes()
        if isinstance(node, ast.Raise)
        and node.exc is not None
        and dotted(getattr(node.exc, "func", node.exc)) == "NotImplementedError"
    ]
    assert later + stubs == []


def test_nothing_is_patched_or_mocked() -> None:
    patched = [
        place(source, node)
        for source in python()
        for node in source.nodes()
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("unittest", "mock"))
        or (isinstance(node, ast.Import) and {"unittest", "mock"} & {name.name.split(".")[0] for name in node.names})
        or (isinstance(node, ast.arg) and node.arg in ("monkeypatch", "mocker"))
    ]
    assert patched == []


def test_no_test_waits_for_a_time_instead_of_a_state() -> None:
    waits = [
        place(source, call)
        for source in python("tests")
        for call, name in calls(source)
        if name == "time.sleep" or (name == "asyncio.sleep" and not _only_yields(call))
    ]
    assert [where.split(":")[0] for where in waits] == ["tests/support/until.py"]


def _only_yields(call: ast.Call) -> bool:
    return [getattr(argument, "value", None) for argument in call.args] == [0]


def test_services_wait_and_tell_the_time_by_the_clock_they_are_handed() -> None:
    own = ("time.sleep", "time.time", "time.monotonic", "asyncio.sleep", "datetime.now", "date.today")
    found = [place(source, call) for source in python("services") for call, name in calls(source) if name.endswith(own)]
    assert found == []


def test_no_program_blocks_the_loop_to_wait() -> None:
    found = [place(source, call) for source in python(*PROGRAM) for call, name in calls(source) if name == "time.sleep"]
    assert found == []


def test_every_client_believes_the_same_certificates() -> None:
    """One that is given none reads them for itself: 30 ms in which nothing else runs."""
    own = [
        place(source, call)
        for source in python(*PROGRAM, "tests")
        for call, name in calls(source)
        if name.rsplit(".", 1)[-1] in ("AsyncClient", "Client", "AsyncOAuth2Client")
        and name.startswith(("httpx", "Async"))
        if not {"verify", "transport"} & {given.arg for given in call.keywords}
    ]
    assert own == []


def test_no_amount_of_money_is_a_float() -> None:
    found = [
        place(source, node)
        for source in python(*PROGRAM)
        for node in source.nodes()
        if isinstance(node, ast.AnnAssign | ast.arg)
        and node.annotation is not None
        and _OF_MONEY.search(node.arg if isinstance(node, ast.arg) else dotted(node.target).rsplit(".", 1)[-1])
        and "float" in {dotted(part) for part in ast.walk(node.annotation)}
    ]
    assert found == []


def test_every_number_with_a_name_has_its_unit_and_reason_under_it() -> None:
    bare = [
        place(source, named)
        for source in python(*PROGRAM)
        for named, after in pairwise([*source.tree.body, ast.Pass()])
        if _is_number(named) and not _is_number(after) and not _is_text(after)
    ]
    assert bare == []


def _is_number(said: ast.stmt) -> bool:
    """Whether it names a number, or a sum or product of numbers; several in a row share what stands under them."""
    value = said.value if isinstance(said, ast.AnnAssign | ast.Assign) else None
    parts = list(ast.walk(value)) if value else []
    leaves = [
        part for part in parts if isinstance(part, ast.Constant | ast.Name | ast.Call | ast.Tuple | ast.Attribute)
    ]
    return bool(leaves) and all(isinstance(leaf, ast.Constant) and _counts(leaf.value) for leaf in leaves)


def _counts(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(said: ast.stmt) -> bool:
    return isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant) and isinstance(said.value.value, str)


def test_whoever_silences_a_rule_names_it_and_says_why() -> None:
    mute = []
    for source in python():
        for number, line in enumerate(source.text.splitlines(), start=1):
            said = _NOQA.search(line)
            if said and (not said["rules"] or not re.search("[A-Za-z]{2,}", said["reason"])):
                mute.append(f"{source.name}:{number}")
    assert mute == []


def test_a_service_names_only_topics_it_writes_or_reads() -> None:
    strangers = [
        f"{place(source, node)} {node.value}"
        for source in python("services")
        for node in source.nodes()
        for topic in TOPICS
        if isinstance(node, ast.Constant) and node.value == topic.name
        if source.name.split("/")[1] not in (topic.owner, *topic.readers)
    ]
    assert strangers == []


def test_every_reader_of_a_topic_names_it() -> None:
    named = {
        (source.name.split("/")[1], node.value)
        for source in python("services")
        for node in source.nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # The audit reads the whole trail of a record, whatever the topics of its events.
    silent = [
        f"{reader} does not read {topic.name}"
        for topic in TOPICS
        for reader in topic.readers
        if reader != "audit" and (reader, topic.name) not in named
    ]
    assert silent == []
