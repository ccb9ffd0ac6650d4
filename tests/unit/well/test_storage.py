"""What an installation's storage is refused for before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.contracts.errors import Rejected
from libs.runtime.clock import SystemClock
from well.home import Installation
from well.storage import opened_storage


async def test_a_database_whose_key_is_gone_is_named_and_no_key_is_made(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "live")
    installation.make()
    installation.postgres.mkdir()
    with pytest.raises(Rejected, match="Bring it back from a backup") as refused:
        async with opened_storage(installation, SystemClock(), database_url=None):
            pass
    assert refused.value.code == "key_file"
    assert str(installation.key_file) in refused.value.sentence
    assert not installation.key_file.exists()
