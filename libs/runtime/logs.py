"""Logs: one line an event on standard error, so that standard output stays for what programs read."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Final

import structlog

from libs.contracts.errors import Rejected, WellError

_FRAMES_MAX: Final = 12
"""Frames of an error that are named, the innermost: enough to see where it began, on one line."""


def set_up_logs() -> None:
    """Log from `WELL_LOG` upwards (default `error` for people at a terminal, who are told what matters anyway).

    Raises:
        Rejected: `bad_log_level` when `WELL_LOG` names no level.
    """
    name = os.environ.get("WELL_LOG", "error").upper()
    level = logging.getLevelNamesMapping().get(name)
    if level is None:
        raise Rejected(f"WELL_LOG is {name.lower()}; it may be debug, info, warning or error.", code="bad_log_level")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    said = logging.StreamHandler(sys.stderr)
    said.setFormatter(_WithoutWords())
    said.addFilter(_is_theirs)
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[said])


def _is_theirs(record: logging.LogRecord) -> bool:
    """Whether a library tells of an error of its own. One of ours that passes through it is told by who catches it."""
    return not (record.exc_info and isinstance(record.exc_info[1], WellError))


class _WithoutWords(logging.Formatter):
    """Where a library spoke and what it met, without its words.

    Libraries repeat what came over the wire: the MCP client logs the text of an answer that it cannot read. That is
    customers' content, or whatever a foreign server chose to write.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        error = record.exc_info[1] if record.exc_info else None
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:] if error else ()
        words = {
            "event": "library.spoke",
            "library": record.name,
            "at": f"{record.filename}:{record.lineno}",
            "error": type(error).__name__ if error else None,
            "frames": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
            "level": record.levelname.lower(),
        }
        return json.dumps({name: value for name, value in words.items() if value})
