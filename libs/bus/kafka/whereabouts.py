"""Where a group goes on: its positions, and beside them in Postgres the offsets it reads on from after a start.

Positions are the truth. Offsets only save reading what was dealt with: everything before one is, and what follows it is
compared with the positions. Topics stand under their names on the cluster: another prefix is another stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog

from libs.bus.kafka.intake import Place
from libs.bus.port import Subscription
from libs.contracts.errors import Rejected
from libs.contracts.topics import log_of
from libs.crypto.bearer import INSTALLATION
from libs.database.port import Database, Transaction
from libs.database.postgres import connection_of
from libs.eventlog.port import Lane, LogReader

_STORED: Final = "SELECT topic, partition, next_offset FROM {service}.kafka_offset WHERE group_name = $1"

_STORE: Final = """
INSERT INTO {service}.kafka_offset (group_name, topic, partition, next_offset)
SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::bigint[])
ON CONFLICT (group_name, topic, partition) DO UPDATE SET next_offset = excluded.next_offset
"""


class Whereabouts:
    """What is known of how far a group is.

    Args:
        subscription: The group and its topics.
        database: Where the group's service keeps its rows.
        reader: Knows the positions of groups.
    """

    def __init__(self, subscription: Subscription, *, database: Database, reader: LogReader) -> None:
        self._group = subscription.group
        self._topics = sorted(subscription.topics)
        self._service = subscription.group.split(".", 1)[0]
        self._database = database
        self._reader = reader
        self._rewound: set[Place] = set()

    async def positions(self) -> Mapping[Lane, int]:
        """The sequence the group has dealt with, by lane; lanes it never touched are left out.

        Raises:
            Transient: The database could not be reached.
        """
        positions: dict[Lane, int] = {}
        for topic in self._topics:
            log = log_of(topic)
            known = await self._reader.positions(self._group, log, topic)
            positions |= {(log, topic, bucket): sequence for bucket, sequence in known.items()}
        return positions

    async def stored(self) -> Mapping[Place, int]:
        """The stored offsets; partitions the group never read are left out.

        Raises:
            Transient: The database could not be reached.
        """
        async with self._database.transaction(INSTALLATION) as tx:
            rows = await connection_of(tx).fetch(_STORED.format(service=self._service), self._group)
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def store(self, tx: Transaction, offsets: Mapping[Place, int]) -> None:
        """Store offsets with what else the transaction does, or not at all."""
        if offsets:
            places = sorted(offsets)  # in one order, so that two members cannot block each other
            topics, partitions = [topic for topic, _ in places], [partition for _, partition in places]
            statement = _STORE.format(service=self._service)
            stored = [offsets[place] for place in places]
            await connection_of(tx).execute(statement, self._group, topics, partitions, stored)

    def starts(
        self, stored: Mapping[Place, int], firsts: Mapping[Place, int], ends: Mapping[Place, int]
    ) -> Mapping[Place, int]:
        """The offset to read each partition from: the stored one where Kafka has it, else the first that is kept.

        The stored offset of a partition that was rewound is not trusted again by this process.
        """
        kept = {
            place: offset
            for place, offset in stored.items()
            if place in firsts and place not in self._rewound and firsts[place] <= offset <= ends[place]
        }
        return dict(firsts) | kept

    def rewind(self, place: Place) -> None:
        """Something is missing before what was read of this partition: from now on it is read from the first."""
        structlog.get_logger().warning("bus.rewound", group=self._group, topic=place[0], partition=place[1])
        self._rewound.add(place)

    def missing(self, place: Place, offset: int, *, prefix: str) -> Rejected:
        """What is said when the whole partition was read and something before this offset came nowhere in it."""
        topic, partition = place[0].removeprefix(prefix), place[1]
        return Rejected(
            f"Kafka has lost events that {self._group} has not dealt with, before offset {offset} of partition "
            f"{partition} of {place[0]}. The log has them: `well topics replay {topic} --partition {partition}`, "
            f"beside {log_of(topic)} and with its variables, has them sent again.",
            code="events_missing",
        )
