"""The pusher's settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.pusher.domain.retrying import ReadingRule, RetryRule


@dataclass(frozen=True)
class PusherConfig:
    """What can be set; each rule gives its reasons beside its numbers.

    Attributes:
        retry: When to look, to send again and to give up.
        reading: When to read back.
        idle_seconds: The pause when nothing was due. From a sign-off to Qonto's answer shall take less than a second.
    """

    retry: RetryRule = field(default_factory=RetryRule)
    reading: ReadingRule = field(default_factory=ReadingRule)
    idle_seconds: float = 0.2
