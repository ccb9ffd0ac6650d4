"""Whole processes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home, home_of_its_own


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all processes of a test run keep what Python compiled: beside the folders of the run's workers."""
    return tmp_path_factory.getbasetemp().parent / "bytecode"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that Postgres' own user may pass, when root runs it as another user."""
    folder = Path(tempfile.mkdtemp(prefix="well-e2e-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def home(bytecode: Path) -> AsyncIterator[Home]:
    """A `WELL_HOME` of this test's own."""
    async with home_of_its_own(bytecode) as fresh:
        yield fresh
