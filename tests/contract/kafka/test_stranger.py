"""Another team's consumer, as docs/consuming.md shows it: a process of its own that has nothing of Well."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tests.contract.kafka.telling import Telling, golden_events, told_of

_REPOSITORY: Final = Path(__file__).parents[3]
_STRANGER: Final = _REPOSITORY / "docs" / "examples" / "stranger.py"


@dataclass(frozen=True)
class _Stranger:
    """The other team's side."""

    folder: Path
    environment: dict[str, str]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Its process; whatever Python finds besides is not ours."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(_STRANGER),
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def reads(self, process: asyncio.subprocess.Process, events: int) -> list[dict[str, Any]]:
        """What it prints next."""
        assert process.stdout
        async with asyncio.timeout(30):
            return [json.loads(await process.stdout.readline()) for _ in range(events)]


async def test_a_stranger_reads_each_event_of_its_workspace_once_and_nothing_else(
    telling: Telling, tmp_path: Path
) -> None:
    workspace, other = uuid4(), uuid4()
    events = golden_events(workspace)
    await telling.append(events)
    await telling.append(golden_events(other))
    await telling.send_all(times=2)
    grant = await telling.auth.reading.grant(workspace, "stranger")
    settings = {
        "WELL_KAFKA": telling.bootstrap,
        "WELL_TOPIC_PREFIX": telling.prefix,
        "WELL_AUTH_URL": telling.url,
        "WELL_GRANT": grant,
    }
    stranger = _Stranger(tmp_path, settings)

    async with stranger.running() as process:
        read = await stranger.reads(process, len(events))
    assert sorted(read, key=lambda event: event["id"]) == [
        json.loads(event.model_dump_json()) for event in sorted(events, key=lambda event: str(event.id))
    ]

    # Killed, started again, and told all of it once more: only what is new is printed.
    new = [told_of(workspace, event) for event in events[:3]]
    await telling.append(new)
    await telling.send_all(times=1)
    async with stranger.running() as process:
        again = await stranger.reads(process, len(new))
    assert {event["id"] for event in again} == {str(event.id) for event in new}


async def test_a_stranger_without_a_good_grant_ends_with_an_error(telling: Telling, tmp_path: Path) -> None:
    grant = await telling.auth.reading.grant(uuid4(), "stranger")
    await telling.auth.reading.take_back(grant)
    stranger = _Stranger(tmp_path, {"WELL_KAFKA": telling.bootstrap, "WELL_AUTH_URL": telling.url, "WELL_GRANT": grant})
    async with stranger.running() as process:
        _, said = await process.communicate()
        assert process.returncode == 1
        assert b"HTTP Error 403" in said


def test_the_page_shows_the_stranger_as_it_is() -> None:
    page = (_REPOSITORY / "docs" / "consuming.md").read_text("utf-8")
    assert f"```python\n{_STRANGER.read_text('utf-8')}```\n" in page


def test_the_stranger_needs_nothing_of_ours_and_about_thirty_lines() -> None:
    text = _STRANGER.read_text("utf-8")
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names | {"aiokafka", "cryptography"}
    assert len([line for line in text.partition("import asyncio")[2].splitlines() if line.strip()]) <= 36
