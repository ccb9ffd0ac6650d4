"""One suite over both stores of ingest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.ingest.domain.kept import DocumentJob, Head, Postponed, RawVersion
from services.ingest.domain.patience import LONGEST_PAUSE_SECONDS
from services.ingest.domain.windows import Window
from tests.contract.ingest.conftest import Kept

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def version(record: str, number: int, sha256: str = "a") -> RawVersion:
    return RawVersion(record, "bill", number, sha256 * 64, f"{record}{number}".encode(), NOW)


def job(record: str, generation: int = 1, due_at: datetime = NOW) -> DocumentJob:
    return DocumentJob(record, generation, uuid4(), due_at, attempts=0)


async def test_the_head_of_a_record_is_its_newest_version(kept: Kept) -> None:
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.raw.add(tx, [version("x", 1), version("y", 1)])
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.raw.add(tx, [version("x", 2, "b")])
        heads = await kept.store.raw.heads(tx, ["x", "y", "none"])
    assert heads == {"x": Head(2, "b" * 64), "y": Head(1, "a" * 64)}


async def test_every_version_can_be_loaded_by_its_number(kept: Kept) -> None:
    one, two = version("x", 1), version("x", 2, "b")
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.raw.add(tx, [one, two])
        loaded = await kept.store.raw.load(tx, [("x", 1), ("x", 2), ("x", 3), ("none", 1)])
    assert loaded == {("x", 1): one, ("x", 2): two}


async def test_the_newest_versions_are_walked_in_order_of_names(kept: Kept) -> None:
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.raw.add(tx, [version("b", 1), version("a", 1), version("a", 2), version("c", 1)])
        first = await kept.store.raw.newest_after(tx, "", limit=2)
        rest = await kept.store.raw.newest_after(tx, first[-1].record, limit=2)
    assert [(one.record, one.version) for one in [*first, *rest]] == [("a", 2), ("b", 1), ("c", 1)]


async def test_another_workspace_sees_nothing(kept: Kept) -> None:
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.raw.add(tx, [version("x", 1)])
        await kept.store.pulls.held(tx, "xero", now=NOW)
        await kept.store.jobs.ask(tx, [job("x")])
        await kept.store.grants.put(tx, "server", b"sealed")
    async with kept.database.transaction(uuid4()) as tx:
        assert await kept.store.raw.heads(tx, ["x"]) == {}
        assert await kept.store.pulls.all(tx) == []
        assert await kept.store.jobs.counts(tx) == {}
        assert await kept.store.grants.get(tx, "server") is None


@pytest.mark.parametrize("under_way", [True, False])
async def test_a_pull_comes_back_as_it_was_put(kept: Kept, *, under_way: bool) -> None:
    window = Window(number=2, since=NOW, opened_at=LATER, kind="bill", page=7, counted=True, changed=11)
    async with kept.database.transaction(kept.workspace) as tx:
        first = await kept.store.pulls.held(tx, "xero", now=NOW)
        put = replace(
            first,
            windows=1,
            last_opened_at=NOW,
            window=window if under_way else None,
            due_at=LATER,
            failures=3,
            sentence="Xero is down.",
            pulled={"contact": 1, "bill": 2, "supplier_invoice": 0},
        )
        await kept.store.pulls.put(tx, put)
    async with kept.database.transaction(kept.workspace) as tx:
        assert await kept.store.pulls.held(tx, "xero", now=LATER) == put
        assert await kept.store.pulls.all(tx) == [put]


async def test_a_provider_never_read_is_due_at_once(kept: Kept) -> None:
    async with kept.database.transaction(kept.workspace) as tx:
        pull = await kept.store.pulls.held(tx, "qonto", now=NOW)
        assert pull == await kept.store.pulls.held(tx, "qonto", now=LATER)
    assert (pull.due_at, pull.windows, pull.window) == (NOW, 0, None)


async def test_a_job_is_taken_when_due_and_not_again_before_its_lease_ends(kept: Kept) -> None:
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.jobs.ask(tx, [job("a"), job("b", due_at=LATER)])
        taken = await kept.store.jobs.take(tx, now=NOW, until=LATER, limit=9)
        assert await kept.store.jobs.take(tx, now=NOW, until=LATER, limit=9) == []
        again = await kept.store.jobs.take(tx, now=LATER, until=LATER, limit=9)
    assert [one.record for one in taken] == ["a"]
    assert {one.record for one in again} == {"a", "b"}


async def test_a_job_that_a_clock_ahead_put_off_is_due_once_that_is_set_back(kept: Kept) -> None:
    ahead, longest = NOW + timedelta(days=365), NOW + timedelta(seconds=LONGEST_PAUSE_SECONDS)
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.jobs.ask(tx, [job("a", due_at=ahead), job("b", due_at=longest)])
        taken = await kept.store.jobs.take(tx, now=NOW, until=LATER, limit=9)
    assert [one.record for one in taken] == ["a"]


async def test_a_newer_generation_starts_a_finished_job_anew_and_the_same_one_does_not(kept: Kept) -> None:
    first = job("a")
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.jobs.ask(tx, [first])
        assert await kept.store.jobs.finish(tx, [first], []) == {"a"}
        await kept.store.jobs.ask(tx, [first])
        assert await kept.store.jobs.counts(tx) == {"done": 1}
        await kept.store.jobs.ask(tx, [job("a", generation=2)])
        assert await kept.store.jobs.counts(tx) == {"waiting": 1}


async def test_a_job_of_an_older_generation_cannot_end_a_newer_one(kept: Kept) -> None:
    old = job("a")
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.jobs.ask(tx, [old])
        await kept.store.jobs.ask(tx, [job("a", generation=2)])
        assert await kept.store.jobs.finish(tx, [], [old]) == frozenset()
        await kept.store.jobs.postpone(tx, [Postponed(old, LATER, "later")])
        [taken] = await kept.store.jobs.take(tx, now=NOW, until=LATER, limit=9)
    assert (taken.generation, taken.attempts) == (2, 0)


async def test_a_later_decision_cancels_what_waits_and_leaves_what_is_done(kept: Kept) -> None:
    waiting, done = job("a"), job("b")
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.jobs.ask(tx, [waiting, done])
        await kept.store.jobs.finish(tx, [done], [])
        await kept.store.jobs.cancel(tx, {"a": 2, "b": 2, "never asked": 2})
        assert await kept.store.jobs.counts(tx) == {"cancelled": 1, "done": 1}
        assert await kept.store.jobs.finish(tx, [waiting], []) == frozenset()


async def test_a_postponed_job_remembers_its_attempts(kept: Kept) -> None:
    asked = job("a")
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.jobs.ask(tx, [asked])
        await kept.store.jobs.postpone(tx, [Postponed(asked, LATER, "Xero is busy.")])
        assert await kept.store.jobs.take(tx, now=NOW, until=LATER, limit=9) == []
        [taken] = await kept.store.jobs.take(tx, now=LATER, until=LATER, limit=9)
    assert taken.attempts == 1


async def test_a_grant_replaces_the_one_before(kept: Kept) -> None:
    async with kept.database.transaction(kept.workspace) as tx:
        await kept.store.grants.put(tx, "server", b"one")
        await kept.store.grants.put(tx, "server", b"two")
        assert await kept.store.grants.get(tx, "server") == b"two"


async def test_a_run_of_renormalising_is_remembered_until_it_ends(kept: Kept) -> None:
    run = uuid4()
    async with kept.database.transaction(kept.workspace) as tx:
        assert await kept.store.renormalizings.get(tx) is None
        await kept.store.renormalizings.put(tx, run, "a")
        await kept.store.renormalizings.put(tx, run, "b")
    async with kept.database.transaction(kept.workspace) as tx:
        assert await kept.store.renormalizings.get(tx) == (run, "b")
        await kept.store.renormalizings.end(tx)
        assert await kept.store.renormalizings.get(tx) is None


async def test_a_grant_is_refreshed_by_one_at_a_time_unless_the_others_clock_was_ahead(kept: Kept) -> None:
    grants, far = kept.store.grants, LATER + timedelta(days=1)
    async with kept.database.transaction(kept.workspace) as tx:
        assert not await grants.take_turn(
            tx, "server", now=NOW, until=LATER, longest=LATER
        )  # there is no grant to refresh
        await grants.put(tx, "server", b"sealed")
        assert await grants.take_turn(tx, "server", now=NOW, until=LATER, longest=LATER)
        assert not await grants.take_turn(tx, "server", now=NOW, until=LATER, longest=LATER)
        assert await grants.take_turn(tx, "server", now=LATER, until=far, longest=far)
        assert await grants.take_turn(tx, "server", now=NOW, until=LATER, longest=LATER)
        await grants.put(tx, "server", b"sealed")
        assert await grants.take_turn(tx, "server", now=NOW, until=LATER, longest=LATER)


async def test_whose_turn_to_refresh_was_over_does_not_end_the_next_ones(kept: Kept) -> None:
    grants, later = kept.store.grants, LATER + timedelta(minutes=1)
    async with kept.database.transaction(kept.workspace) as tx:
        await grants.put(tx, "server", b"sealed")
        assert await grants.take_turn(tx, "server", now=NOW, until=LATER, longest=LATER)
        assert await grants.take_turn(tx, "server", now=LATER, until=later, longest=later)
        await grants.end_turn(tx, "server", until=LATER)
        assert not await grants.take_turn(tx, "server", now=LATER, until=later, longest=later)
        await grants.end_turn(tx, "server", until=later)
        assert await grants.take_turn(tx, "server", now=LATER, until=later, longest=later)


async def test_what_a_browser_brings_back_is_kept_once_and_its_ending_told_once(kept: Kept) -> None:
    returns, state = kept.store.mcp_returns, b"s" * 32
    async with kept.database.transaction(kept.workspace) as tx:
        assert not await returns.bring(tx, state, b"sealed", now=NOW)
        assert await returns.expect(tx, state, now=NOW, until=LATER, limit=1)
        assert not await returns.expect(tx, b"o" * 32, now=NOW, until=LATER, limit=1)
        assert await returns.brought(tx, state) is None
        assert not await returns.bring(tx, state, b"late", now=LATER)
        assert await returns.bring(tx, state, b"sealed", now=NOW)
        assert not await returns.bring(tx, state, b"again", now=NOW)
        assert await returns.brought(tx, state) == b"sealed"
        assert await returns.take_ending(tx, state) is None
        await returns.end(tx, state, "It went well.")
    async with kept.database.transaction(uuid4()) as tx:
        assert await returns.brought(tx, state) is None
        assert await returns.take_ending(tx, state) is None
    async with kept.database.transaction(kept.workspace) as tx:
        assert await returns.take_ending(tx, state) == "It went well."
        assert await returns.take_ending(tx, state) is None
