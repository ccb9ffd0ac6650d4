"""One workspace whose events cannot be dealt with, however many they are, holds up no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from libs.bus.parking import PARKED_AN_HOUR
from libs.contracts.envelope import Envelope
from libs.contracts.errors import Rejected
from libs.contracts.events import Parked
from libs.contracts.identity import KeyPurpose
from libs.crypto.bearer import INSTALLATION
from libs.crypto.seal import WorkspaceKeys
from libs.database.port import Transaction
from libs.eventlog.port import Delivery
from libs.eventlog.postgres import PostgresEventLog
from libs.eventlog.reader import PostgresLogReader
from tests.contract.bus.echoes import Echo
from tests.contract.bus.worlds import World, drain, pulled
from tests.support.keys import MemoryKeyring, sealer_over
from tests.support.postgres import PostgresFixture

EVENTS = PARKED_AN_HOUR + 20


@dataclass
class Keyring(MemoryKeyring):
    """Keys of workspaces, of which some are destroyed."""

    erased: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    async def keys(self, workspace: UUID, purpose: KeyPurpose) -> WorkspaceKeys:
        """The keys, unless they are gone."""
        if workspace in self.erased:
            raise Rejected("The keys of this workspace were destroyed.", code="workspace_erased")
        return await super().keys(workspace, purpose)


async def _world(postgres: PostgresFixture, keyring: Keyring) -> World:
    """A world whose seals are made anew from the keyring, as in a process that starts."""
    sealer = sealer_over(keyring)
    made = await postgres.reader()
    return World(
        source=PostgresEventLog("ingest", sealer),
        source_database=await postgres.database("ingest"),
        target=PostgresEventLog("audit", sealer),
        target_database=await postgres.database("audit"),
        reader=PostgresLogReader(made._pool, sealer),
        workspace=postgres.workspace,
    )


async def test_a_workspace_whose_keys_are_gone_is_parked_without_them(postgres: PostgresFixture) -> None:
    keyring, lost = Keyring(), uuid4()
    world = await _world(postgres, keyring)
    for number in range(EVENTS):
        await world.publish(pulled(lost, number), pulled(world.workspace, number))
    keyring.erased.add(lost)
    later = await _world(postgres, keyring)
    consumer = later.consumer(Echo(), batch_events=10)
    await drain(consumer)
    assert consumer.parked == EVENTS
    assert len(await later.written()) == EVENTS
    parked = await later.written("xero.raw.v1.dlq")
    assert {event.workspace for event in parked} == {INSTALLATION}
    places = {(event.payload.bucket, event.payload.sequence) for event in parked if isinstance(event.payload, Parked)}
    assert len(places) == EVENTS


@dataclass
class PoisonedFor(Echo):
    """An echo that cannot handle anything of one workspace."""

    workspace: UUID = INSTALLATION

    async def handle(self, tx: Transaction, batch: Sequence[Delivery]) -> list[Envelope]:
        """As any echo, for the others."""
        if tx.workspace == self.workspace:
            raise ZeroDivisionError
        return await super().handle(tx, batch)


async def test_a_workspace_of_which_every_event_fails_is_parked_and_the_others_go_through(
    postgres: PostgresFixture,
) -> None:
    world, poisoned = await _world(postgres, Keyring()), uuid4()
    for number in range(EVENTS):
        await world.publish(pulled(poisoned, number), pulled(world.workspace, number))
    consumer = world.consumer(PoisonedFor(workspace=poisoned), batch_events=10)
    await drain(consumer)
    assert consumer.parked == EVENTS
    assert {event.workspace for event in await world.written()} == {world.workspace}
    assert len(await world.written()) == EVENTS
