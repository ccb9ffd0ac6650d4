"""The secret of one service."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.contracts.errors import Rejected
from libs.crypto.service_secret import SECRET_BYTES, read_service_secret, service_secret


def test_each_service_of_each_installation_has_a_secret_of_its_own() -> None:
    secrets = {service_secret(master, name) for master in (b"1" * 32, b"2" * 32) for name in ("pusher", "ingest")}
    assert [len(secret) for secret in secrets] == [SECRET_BYTES] * 4
    assert service_secret(b"1" * 32, "pusher") in secrets


def test_a_secret_is_read_from_a_file_that_its_group_may_read(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"s" * SECRET_BYTES)
    file.chmod(0o640)
    assert read_service_secret(file) == b"s" * SECRET_BYTES


def test_a_secret_that_everybody_reads_is_short_or_is_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    with pytest.raises(Rejected, match="no secret file"):
        read_service_secret(file)
    file.write_bytes(b"s" * SECRET_BYTES)
    file.chmod(0o644)
    with pytest.raises(Rejected, match="Everybody"):
        read_service_secret(file)
    file.write_bytes(b"s" * 31)
    file.chmod(0o600)
    with pytest.raises(Rejected, match="31 bytes"):
        read_service_secret(file)
