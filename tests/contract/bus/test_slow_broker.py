"""A broker that acknowledges too late: the relay says so, and sends again."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from libs.contracts.errors import Transient
from tests.contract.bus.echoes import Echo
from tests.contract.bus.worlds import KafkaWorld, drain, pulled
from tests.support.kafka_broker import Broker
from tests.support.tcp_proxy import PRODUCE, proxied

PATIENCE_SECONDS = 1.0
"""Of a relay, instead of 40 seconds."""

ENDS_SECONDS = 15.0
"""A round's end, on a busy machine."""


async def test_what_is_acknowledged_too_late_is_sent_again_and_dealt_with_once(
    mortal_world: KafkaWorld, mortal_kafka: Broker
) -> None:
    world, ports = mortal_world, mortal_kafka.ports
    relay = world.another_relay(bootstrap=ports.proxied_bootstrap, acknowledged_seconds=PATIENCE_SECONDS)
    await world.append(*[pulled(world.workspace, bill) for bill in range(20)])
    async with proxied(ports.proxy, to_port=ports.behind_proxy) as link:
        link.kept_seconds[PRODUCE] = 2 * PATIENCE_SECONDS
        try:
            with pytest.raises(Transient, match="RequestTimedOut"):
                async with asyncio.timeout(ENDS_SECONDS):
                    await relay.step()
            link.kept_seconds[PRODUCE] = 0
            await world.append(*[pulled(world.workspace, bill, 2) for bill in range(20)])
            while await relay.step():
                pass
        finally:
            await relay.close()
    await drain(world.consumer(Echo(), batch_events=7))
    causes = Counter(event.cause for event in await world.written())
    assert len(causes) == 40
    assert set(causes.values()) == {1}
