"""Logs: one line an event on standard error, so that standard output stays for what programs read."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def set_up_logs() -> None:
    """Log from `WELL_LOG` upwards (default `error` for people at a terminal, who are told what matters anyway).

    Raises:
        ValueError: `WELL_LOG` names no level.
    """
    name = os.environ.get("WELL_LOG", "error").upper()
    level = logging.getLevelNamesMapping().get(name)
    if level is None:
        raise ValueError(f"WELL_LOG is {name.lower()!r}; it may be debug, info, warning or error")
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
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr)
