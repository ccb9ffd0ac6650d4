"""What insights is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InsightsConfig:
    """Where the topics are.

    Attributes:
        kafka: Brokers, `host:port` with commas between.
        prefix: What our topics begin with there.
        group: Under which name it reads and keeps what it read; None for the usual one. Another name reads everything
            again.
    """

    kafka: str
    prefix: str = ""
    group: str | None = None
