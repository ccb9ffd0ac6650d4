"""`well topics` against a real broker, as an operator uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from libs.bus.kafka.topic_plan import DAY_MILLISECONDS
from libs.contracts.topics import TEN_YEARS_DAYS, TOPICS
from well.cli import app

_TOPICS = 2 * len(TOPICS) + 1


def _well(*words: str, kafka: str, prefix: str, answer: str | None = None) -> Result:
    environment = {"WELL_KAFKA": kafka, "WELL_TOPIC_PREFIX": prefix, "COLUMNS": "120"}
    return CliRunner().invoke(app, ["topics", *words], input=answer, env=environment)


def _as_json(*words: str, kafka: str, prefix: str) -> list[dict[str, Any]]:
    said = _well(*words, "--json", kafka=kafka, prefix=prefix)
    assert said.exit_code == 0, said.output
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_a_plan_shows_what_is_missing_and_changes_nothing(kafka: str, topic_prefix: str) -> None:
    said = _well("plan", "--replicas", "1", kafka=kafka, prefix=topic_prefix)
    assert f"To be made ({_TOPICS})" in said.output
    assert f"{topic_prefix}match.decided.v1.dlq" in said.output
    listed = _as_json("list", kafka=kafka, prefix=topic_prefix)
    assert {row["partitions"] for row in listed} == {None}


def test_apply_shows_what_would_change_before_it_asks_and_does_nothing_when_refused(
    kafka: str, topic_prefix: str
) -> None:
    said = _well("apply", "--replicas", "1", kafka=kafka, prefix=topic_prefix, answer="n\n")
    assert said.exit_code == 1
    assert said.output.index("To be made") < said.output.index("Do it?")
    [made] = _as_json("plan", "--replicas", "1", kafka=kafka, prefix=topic_prefix)
    assert len(made["create"]) == _TOPICS


def test_after_apply_the_list_shows_every_topic_as_it_stands(kafka: str, topic_prefix: str) -> None:
    done = _well("apply", "--replicas", "1", "--partitions", "3", "--yes", kafka=kafka, prefix=topic_prefix)
    assert done.exit_code == 0, done.output
    rows = {row["topic"]: row for row in _as_json("list", kafka=kafka, prefix=topic_prefix)}
    assert {row["partitions"] for row in rows.values()} == {3}
    decided = rows[f"{topic_prefix}match.decided.v1"]
    assert (decided["owner"], decided["retention_ms"]) == ("matcher", TEN_YEARS_DAYS * DAY_MILLISECONDS)
    shown = _well("list", kafka=kafka, prefix=topic_prefix)
    assert "missing" not in shown.output
    assert "3,653 days" in shown.output
    again = _well("apply", "--replicas", "1", "--partitions", "3", kafka=kafka, prefix=topic_prefix)
    assert f"All {_TOPICS} topics stand as the registry says." in again.output


def test_more_partitions_are_left_undone_with_the_reason(kafka: str, topic_prefix: str) -> None:
    _well("apply", "--replicas", "1", "--partitions", "1", "--yes", kafka=kafka, prefix=topic_prefix)
    said = _well("apply", "--replicas", "1", "--partitions", "2", "--yes", kafka=kafka, prefix=topic_prefix)
    assert f"Left as it is ({_TOPICS})" in said.output
    assert "come out of order" in said.output
    assert {row["partitions"] for row in _as_json("list", kafka=kafka, prefix=topic_prefix)} == {1}


def test_programs_that_apply_must_say_yes_themselves(kafka: str, topic_prefix: str) -> None:
    said = _well("apply", "--json", kafka=kafka, prefix=topic_prefix)
    assert said.exit_code == 1
    assert "say --yes as well" in str(said.exception)


def test_a_wrong_address_ends_within_seconds_and_with_a_sentence() -> None:
    well = Path(sys.executable).with_name("well")
    ended = subprocess.run(
        [well, "topics", "list", "--kafka", "127.0.0.1:1"], capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "No Kafka answers at 127.0.0.1:1. Is the address right, and does it run?"
    assert "Traceback" not in ended.stderr
