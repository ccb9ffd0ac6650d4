"""As root, Postgres runs as another user: what that user cannot reach is refused or copied, and never opened."""

from __future__ import annotations

from pathlib import Path

from libs.database.embedded import closed_above, copied_once


def test_the_innermost_closed_folder_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    inside = closed / "open" / "pg"
    inside.mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "open").chmod(0o755)
    assert closed_above(inside) == closed


def test_a_copy_is_made_once_and_keeps_the_layout(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for part in ("program/bin", "program.libs"):
        (source / part).mkdir(parents=True)
    (source / "program/bin/postgres").write_text("first")
    parts = [Path("program/bin"), Path("program.libs")]
    copy = copied_once(source, parts, tmp_path / "copy")
    (source / "program/bin/postgres").write_text("second")
    assert copied_once(source, parts, tmp_path / "copy") == copy
    assert (copy / "program/bin/postgres").read_text() == "first"
    assert (copy / "program.libs").is_dir()
