"""Wires insights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from libs.bus.kafka.topics import open_topics
from libs.contracts.errors import Rejected, Transient
from libs.contracts.topics import INSIGHTS_DEAD_LETTERS
from libs.crypto.keyring import Sealer
from libs.runtime.clock import Clock
from services.insights.adapters.faust_reading import Cluster, FaustReading
from services.insights.adapters.packed_lines import FORMAT
from services.insights.adapters.sealed_verdicts import SealedVerdicts
from services.insights.api import application
from services.insights.config import InsightsConfig
from services.insights.flow.read_model import TOPICS, ReadModel
from services.insights.ports import Visitors

GROUP: Final = f"insights-v{FORMAT}"


@dataclass(frozen=True)
class InsightsService:
    """Insights, as the command line sees it."""

    app: web.Application
    reading: FaustReading
    model: ReadModel

    async def ready(self) -> None:
        """Return when all that was kept is in the figures, and all partitions are read here.

        Raises:
            Transient: They are not, and figures would be too low.
        """
        if not self.model.is_whole or not self.reading.reads_all:
            raise Transient("The figures are being put together, or another process of insights has a part of them.")


async def build(config: InsightsConfig, *, sealer: Sealer, visitors: Visitors, clock: Clock) -> InsightsService:
    """Wire insights over Faust.

    Raises:
        Rejected: `no_topics` when one that it needs is missing, or they differ in their partitions.
        Transient: Kafka does not answer.
    """
    model = ReadModel(verdicts=SealedVerdicts(sealer), clock=clock)
    reading = FaustReading(
        await _cluster(config), topics=TOPICS, dead_letters=INSIGHTS_DEAD_LETTERS, hears=model, clock=clock
    )
    return InsightsService(application(model, visitors), reading, model)


async def _cluster(config: InsightsConfig) -> Cluster:
    async with open_topics(config.kafka) as topics:
        standing = {topic.name: topic for topic in await topics.standing(config.prefix)}
    wanted = [config.prefix + topic for topic in TOPICS]
    missing = sorted({*wanted, config.prefix + INSIGHTS_DEAD_LETTERS} - set(standing))
    if missing:
        sentence = f"These topics are missing on Kafka; `well topics apply` makes them: {', '.join(missing)}."
        raise Rejected(sentence, code="no_topics")
    if len({standing[name].partitions for name in wanted}) > 1:
        raise Rejected("The topics differ in their partitions; `well topics plan` shows which.", code="no_topics")
    first = standing[wanted[0]]
    return Cluster(config.kafka, config.prefix, config.group or GROUP, first.partitions, first.replicas)
