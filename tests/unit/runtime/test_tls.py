"""Whose certificates are believed, where the environment names others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_certificates_is_refused_with_the_variable_that_names_it(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    asked = subprocess.run(
        [sys.executable, "-c", "from libs.runtime.tls import authorities; authorities()"],
        env={**os.environ, "SSL_CERT_FILE": str(file)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "libs.contracts.errors.Rejected: SSL_CERT_FILE names no file" in asked.stderr
