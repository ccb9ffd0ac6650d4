"""Messages are folded into figures: which count, which are forgotten, and for which there is no room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from libs.contracts.errors import Malformed, Rejected, Transient
from libs.contracts.events import Verdict
from libs.contracts.identity import KeyPurpose
from libs.crypto.seal import WorkspaceKeys, WorkspaceSeal
from libs.runtime.clock import ManualClock
from services.insights.adapters.memory import MemoryLines, MemoryVerdicts
from services.insights.adapters.packed_lines import PackedLines
from services.insights.adapters.sealed_verdicts import SealedVerdicts
from services.insights.domain.tally import FORGOTTEN_AFTER_MS, KEPT_HOURS
from services.insights.flow.read_model import ReadModel
from services.insights.ports import Lines
from tests.support.keys import MemoryKeyring, sealer_over
from tests.support.stories import Sent, Storyteller

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)

FORGOTTEN = timedelta(milliseconds=FORGOTTEN_AFTER_MS)

every_form_of_lines = pytest.mark.parametrize("lines", [MemoryLines, lambda: PackedLines({})], ids=["memory", "packed"])


class World:
    """One workspace, and a keyring that both sides share."""

    def __init__(self, *, records_max: int = 100) -> None:
        self.keyring = MemoryKeyring()
        self.workspace = uuid4()
        self.clock = ManualClock(NOW)
        self.lines: Lines = MemoryLines()
        self.model = ReadModel(
            verdicts=SealedVerdicts(sealer_over(self.keyring)), clock=self.clock, records_max=records_max
        )

    async def storyteller(self) -> Storyteller:
        """Tells of its workspace."""
        return Storyteller(WorkspaceSeal(await self.keyring.keys(self.workspace, "payloads")), self.workspace)

    async def take(self, messages: Sequence[Sent]) -> None:
        """Take messages in, in their order."""
        if not self.model.is_whole:
            await self.model.begin(self.lines)
        for sent in messages:
            await self.model.take(sent.topic, sent.message)

    def pulled(self, hours: int = KEPT_HOURS) -> int:
        """Records pulled within the last hours."""
        return self.model.shown(self.workspace, hours).together.pulled


@every_form_of_lines
async def test_figures_are_those_of_the_lines_that_were_kept(lines: type[MemoryLines]) -> None:
    world, again = World(), World()
    world.lines = lines()
    verdicts: tuple[Verdict, ...] = ("post", "review", "link", "unmatched", "ineligible")
    stories = await world.storyteller()
    for nth, verdict in enumerate(verdicts):
        await world.take(stories.bill(f"xero/bill/{nth}", NOW - timedelta(hours=nth), verdict))
    await again.model.begin(world.lines)
    shown = again.model.shown(world.workspace, KEPT_HOURS)
    assert shown == world.model.shown(world.workspace, KEPT_HOURS)
    assert shown.together.decided == dict.fromkeys(sorted(verdicts), 1)
    assert [window.begins.hour for window in shown.windows] == [8, 9, 10, 11, 12]


async def test_an_hour_that_has_passed_out_of_sight_is_not_shown() -> None:
    world = World()
    stories = await world.storyteller()
    await world.take(stories.bill("xero/bill/1", NOW))
    assert (world.pulled(1), world.pulled()) == (1, 1)
    world.clock.advance(3600)
    assert (world.pulled(1), world.pulled(2)) == (0, 1)


@every_form_of_lines
async def test_what_is_old_is_forgotten_while_other_messages_come(lines: type[MemoryLines]) -> None:
    world = World()
    world.lines = lines()
    stories = await world.storyteller()
    await world.take([stories.told("xero/bill/1", "RecordPulled", NOW)])
    world.clock.advance(FORGOTTEN.total_seconds() + 1)
    later = world.clock.now()
    await world.take([stories.told("xero/bill/1", "PostIntended", later)])
    assert (len(world.lines), world.model.shown(world.workspace, KEPT_HOURS).windows) == (0, [])


async def test_what_was_old_before_it_came_counts_for_nothing_and_is_not_even_opened() -> None:
    world = World()
    old = (await world.storyteller()).bill("xero/bill/1", NOW - FORGOTTEN - timedelta(minutes=1))
    shut = [replace(sent, message=replace(sent.message, value=b"shut")) for sent in old]
    await world.take(shut)
    assert len(world.lines) == 0


async def test_records_for_which_there_is_no_room_are_left_out_and_counted() -> None:
    world = World(records_max=2)
    stories = await world.storyteller()
    await world.take([stories.told(f"xero/bill/{nth}", "RecordPulled", NOW) for nth in (1, 2, 3, 1)])
    shown = world.model.shown(world.workspace, 1)
    assert (shown.together.pulled, shown.left_out, len(world.lines)) == (3, 1, 2)


async def test_figures_that_are_being_put_together_are_not_shown() -> None:
    model = ReadModel(verdicts=MemoryVerdicts({}), clock=ManualClock(NOW))
    assert not model.is_whole
    with pytest.raises(Transient, match="put together"):
        model.shown(uuid4(), 1)
    sent = (await World().storyteller()).told("xero/bill/1", "RecordPulled", NOW)
    with pytest.raises(Transient, match="put together"):
        await model.take(sent.topic, sent.message)


async def test_a_message_of_another_log_is_none_of_its_topic() -> None:
    world = World()
    sent = (await world.storyteller()).told("xero/bill/1", "RecordPulled", NOW)
    with pytest.raises(Malformed, match="another log"):
        await world.take([replace(sent, topic="match.decided.v1")])


async def test_a_decision_that_was_altered_is_malformed_and_so_is_what_is_none() -> None:
    world = World()
    stories = await world.storyteller()
    decided = stories.told("xero/bill/1", "MatchDecided", NOW, verdict="link")
    sealed = decided.message.value or b""
    altered = replace(decided, message=replace(decided.message, value=sealed[:-1] + bytes([sealed[-1] ^ 1])))
    with pytest.raises(Malformed) as refused:
        await world.take([altered])
    assert refused.value.code == "not_sealed_here"
    opaque = stories.seal.seal(b"{}", table="matcher.event_log", row=str(decided.event_id), column="sealed")
    with pytest.raises(Malformed) as refused:
        await world.take([replace(decided, message=replace(decided.message, value=opaque))])
    assert refused.value.code == "unknown_event"


class Gone:
    """A keyring whose every workspace was erased, or is nobody's to see."""

    def __init__(self, code: str) -> None:
        self._code = code

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """No keys."""
        raise Rejected(f"There are no keys of {purpose} of {workspace}.", code=self._code)


async def test_decisions_of_an_erased_workspace_are_passed_over_and_any_other_refusal_is_not() -> None:
    world = World()
    decided = (await world.storyteller()).told("xero/bill/1", "MatchDecided", NOW, verdict="link")
    for code in ("workspace_erased", "not_allowed"):
        model = ReadModel(verdicts=SealedVerdicts(sealer_over(Gone(code))), clock=world.clock)
        await model.begin(world.lines)
        if code == "workspace_erased":
            await model.take(decided.topic, decided.message)
        else:
            with pytest.raises(Rejected):
                await model.take(decided.topic, decided.message)
    assert len(world.lines) == 0


async def test_what_a_newer_key_sealed_opens_though_older_keys_are_in_memory() -> None:
    world = World()
    stories = await world.storyteller()
    await world.take([stories.told("xero/bill/1", "MatchDecided", NOW, verdict="link")])
    rotated = MemoryKeyring()
    stories.seal = WorkspaceSeal(await rotated.keys(world.workspace, "payloads"))
    world.keyring.take_over(rotated)
    await world.take([stories.told("xero/bill/2", "MatchDecided", NOW, verdict="link")])
    assert world.model.shown(world.workspace, 1).together.decided == {"link": 2}
