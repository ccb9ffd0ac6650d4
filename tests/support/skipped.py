"""A run that was given the shared files may skip nothing: a test that does not run holds nothing."""

from __future__ import annotations

import os

import pytest

_SKIPPED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Start with nothing skipped."""
    config.stash[_SKIPPED] = []
    config.pluginmanager.register(_Count(config.stash[_SKIPPED]))


class _Count:
    def __init__(self, skipped: list[str]) -> None:
        self._skipped = skipped

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self._skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that skipped tests although it was given the shared files."""
    if session.config.stash[_SKIPPED] and os.environ.get("WELL_SHARED") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count the skipped tests; `-ra` has named them and said why."""
    count = len(config.stash[_SKIPPED])
    if count:
        may = "none may be, since WELL_SHARED is set" if os.environ.get("WELL_SHARED") else "WELL_SHARED is not set"
        terminalreporter.write_line(f"Skipped: {count}; {may}.", red=bool(os.environ.get("WELL_SHARED")))
