"""New keys in the place of old ones: nothing is sealed again for it, and nothing that was sealed stays closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest

from libs.contracts.errors import Malformed, Rejected
from libs.contracts.events import KeyRotated
from libs.crypto.bearer import INSTALLATION
from libs.crypto.key_provider import KeyPlace, MemoryKeyProvider
from libs.crypto.keyring import KEYS_KEPT, Sealer
from libs.runtime.clock import ShiftedClock
from services.auth.domain.wrapped_key import PURPOSES, WrappedKey
from services.auth.flow.keyring import StoredKeyring
from services.auth.flow.rotate import GENERATIONS_MAX, SEALS_AFTER, Rotating
from tests.contract.auth.conftest import events_of
from tests.contract.auth.kept import Kept

PLACE = {"table": "t", "row": "r", "column": "c"}


class Cut(Exception):
    """The process ended here."""


class CutShort(MemoryKeyProvider):
    """A key provider whose process ends while it wraps keys anew."""

    left = 10_000

    async def rewrap(self, place: KeyPlace, wrapped: bytes) -> bytes:
        """As any, so many times."""
        self.left -= 1
        if self.left < 0:
            raise Cut
        return await super().rewrap(place, wrapped)


@dataclass(frozen=True)
class Keys:
    """The keys of a place where auth keeps its rows."""

    kept: Kept
    provider: CutShort
    clock: ShiftedClock
    keyring: StoredKeyring
    rotating: Rotating

    def sealer(self) -> Sealer:
        """Of a process that has just started."""
        return Sealer(self.keyring, "payloads", self.clock)

    async def stored(self, workspace: UUID) -> list[WrappedKey]:
        """What is kept."""
        async with (await self.kept.database()).transaction(workspace) as tx:
            return await self.kept.store.keys(tx)


@pytest.fixture
async def keys(kept: Kept) -> Keys:
    """Keys of this test's own."""
    provider, clock, database = CutShort(), ShiftedClock(), await kept.database()
    return Keys(
        kept,
        provider,
        clock,
        StoredKeyring(database, kept.store, provider, clock),
        Rotating(database=database, store=kept.store, log=kept.log, provider=provider, clock=clock),
    )


async def test_the_old_key_opens_and_the_new_one_seals_once_everybody_has_it(keys: Keys) -> None:
    workspace, running = uuid4(), keys.sealer()
    old = (await running.of(workspace)).seal(b"before", **PLACE)
    made = await keys.rotating.rotate(workspace, "payloads")
    assert made.seals_from - made.made_at == SEALS_AFTER
    for process in (running, keys.sealer()):
        meanwhile = (await process.of(workspace)).seal(b"meanwhile", **PLACE)
        assert meanwhile[1:17] == old[1:17] != made.id.bytes
    keys.clock.advance(KEYS_KEPT.total_seconds() + 1)
    await running.of(workspace)  # asks anew, and has the new key well before anybody seals with it
    keys.clock.advance((SEALS_AFTER - KEYS_KEPT).total_seconds() - 1)
    new = (await keys.sealer().of(workspace)).seal(b"after", **PLACE)
    assert new[1:17] == made.id.bytes
    for sealer in (running, keys.sealer()):
        seal = await sealer.of(workspace)
        assert [seal.open(sealed, **PLACE) for sealed in (old, meanwhile, new)] == [b"before", b"meanwhile", b"after"]
    (said,) = await events_of(keys.kept)
    assert said == KeyRotated(purpose="payloads", key=made.id, seals_from=made.seals_from)


async def test_a_rotation_is_of_one_purpose_and_names_stay_blinded_as_they_were(keys: Keys) -> None:
    workspace = uuid4()
    before = {purpose: await keys.keyring.keys(workspace, purpose) for purpose in PURPOSES}
    await keys.rotating.rotate(workspace, "payloads")
    keys.clock.advance(SEALS_AFTER.total_seconds())
    after = {purpose: await keys.keyring.keys(workspace, purpose) for purpose in PURPOSES}
    assert [purpose for purpose in PURPOSES if after[purpose] != before[purpose]] == ["payloads"]
    assert after["payloads"].index_secret == before["payloads"].index_secret


async def test_asking_again_before_the_new_key_seals_makes_no_other(keys: Keys) -> None:
    workspace = uuid4()
    await keys.keyring.keys(workspace, "tokens")
    first, second = [await keys.rotating.rotate(workspace, "tokens") for _ in range(2)]
    assert first == second
    keys.clock.advance(SEALS_AFTER.total_seconds())
    assert (await keys.rotating.rotate(workspace, "tokens")).generation == first.generation + 1
    keys.clock.advance(-86_400)  # set back: that one would not seal for a day, and is not waited for
    assert (await keys.rotating.rotate(workspace, "tokens")).generation == first.generation + 2


async def test_a_purpose_has_so_many_keys_at_most(keys: Keys) -> None:
    workspace, now = uuid4(), keys.clock.now()
    async with (await keys.kept.database()).transaction(workspace) as tx:
        await keys.kept.store.add_keys(tx, [WrappedKey(uuid4(), "tokens", GENERATIONS_MAX, b"wrapped", now, now)])
    with pytest.raises(Rejected) as refused:
        await keys.rotating.rotate(workspace, "tokens")
    assert refused.value.code == "too_many_keys"


async def test_a_workspace_that_is_erased_while_its_new_key_is_made_gets_none(keys: Keys) -> None:
    workspace, database = uuid4(), await keys.kept.database()
    await keys.keyring.keys(workspace, "tokens")

    class ErasedMeanwhile(MemoryKeyProvider):
        async def wrap(self, place: KeyPlace, secret: bytes) -> bytes:
            async with database.transaction(workspace) as tx:
                await keys.kept.store.erase(tx, keys.clock.now())
            return await super().wrap(place, secret)

    rotating = Rotating(
        database=database, store=keys.kept.store, log=keys.kept.log, provider=ErasedMeanwhile(), clock=keys.clock
    )
    with pytest.raises(Rejected) as refused:
        await rotating.rotate(workspace, "tokens")
    assert refused.value.code == "workspace_erased"
    assert await keys.stored(workspace) == []


async def test_a_workspace_that_was_erased_is_not_said_to_have_sealed_nothing(keys: Keys) -> None:
    workspace = uuid4()
    await keys.keyring.keys(workspace, "tokens")
    async with (await keys.kept.database()).transaction(workspace) as tx:
        await keys.kept.store.erase(tx, keys.clock.now())
    with pytest.raises(Rejected) as refused:
        await keys.rotating.rotate(workspace, "tokens")
    assert refused.value.code == "workspace_erased"


async def test_a_workspace_that_sealed_nothing_has_no_key_to_replace(keys: Keys) -> None:
    with pytest.raises(Rejected) as refused:
        await keys.rotating.rotate(uuid4(), "tokens")
    assert refused.value.code == "no_keys"


async def test_a_new_key_encryption_key_wraps_every_key_and_no_row_is_sealed_again(keys: Keys) -> None:
    workspaces = [INSTALLATION, uuid4(), uuid4()]
    sealed = {each: (await keys.sealer().of(each)).seal(b"kept", **PLACE) for each in workspaces}
    before = {each: await keys.stored(each) for each in workspaces}
    done = await keys.rotating.rewrap(new_key_encryption_key=True)
    assert (done.keys, done.changed) == (12, 12)
    for each in workspaces:
        after = await keys.stored(each)
        assert [replace(key, wrapped=b"") for key in after] == [replace(key, wrapped=b"") for key in before[each]]
        assert not {key.wrapped for key in after} & {key.wrapped for key in before[each]}
        assert (await keys.sealer().of(each)).open(sealed[each], **PLACE) == b"kept"
    assert (await keys.rotating.rewrap()).changed == 0


@pytest.mark.parametrize("wrapped_before_the_end", [0, 1, 5, 11])
async def test_a_rewrapping_that_ended_in_the_middle_goes_on_when_it_is_started_again(
    keys: Keys, wrapped_before_the_end: int
) -> None:
    workspaces = sorted(uuid4() for _ in range(3))
    sealed = {each: (await keys.sealer().of(each)).seal(b"kept", **PLACE) for each in workspaces}
    keys.provider.left = wrapped_before_the_end
    with pytest.raises(Cut):
        await keys.rotating.rewrap(new_key_encryption_key=True)
    for each in workspaces:  # half under the old one, half under the new, and all of them open
        assert (await keys.sealer().of(each)).open(sealed[each], **PLACE) == b"kept"
    keys.provider.left = 10_000
    done = await keys.rotating.rewrap()
    assert (done.keys, done.changed) == (12, 12 - wrapped_before_the_end)
    assert (await keys.rotating.rewrap()).changed == 0


async def test_a_key_that_was_put_under_another_purpose_does_not_open_there(keys: Keys) -> None:
    workspace = uuid4()
    await keys.keyring.keys(workspace, "tokens")
    stored = {key.purpose: key for key in await keys.stored(workspace)}
    database = await keys.kept.database()
    async with database.transaction(workspace) as tx:
        assert await keys.kept.store.rewrap_key(tx, stored["payloads"], stored["tokens"].wrapped)
        assert not await keys.kept.store.rewrap_key(tx, stored["payloads"], b"of somebody who came late")
    with pytest.raises(Malformed) as refused:
        await keys.keyring.keys(workspace, "payloads")
    assert refused.value.code == "wrong_key_encryption_key"
