"""The manifests as a cluster would get them, and the words that the tests share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.house.tree import REPOSITORY

DEPLOY: Final = REPOSITORY / "deploy"

OVERLAYS: Final = ("local", "eu", "uk")

KUBERNETES: Final = "1.36"
"""The version whose schemas hold: the newest but one that the validator knows, as most clusters run."""

PROGRAMS: Final = Path(sys.executable).parent
"""Where the environment's kubectl and hadolint lie."""

Manifest = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Manifest, ...]:
    """Every resource of an overlay, as `kubectl kustomize` writes it."""
    command = [PROGRAMS / "kubectl", "kustomize", DEPLOY / "overlays" / overlay]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return tuple(yaml.load_all(made.stdout, Loader=yaml.CSafeLoader))


def of_kind(overlay: str, kind: str) -> dict[str, Manifest]:
    """The resources of one kind, by name."""
    return {found["metadata"]["name"]: found for found in rendered(overlay) if found["kind"] == kind}


def pod_templates(overlay: str) -> Iterator[tuple[str, Manifest]]:
    """The pods that run our image, each with its name."""
    for kind in ("Deployment", "Job"):
        for name, manifest in of_kind(overlay, kind).items():
            yield name, manifest["spec"]["template"]


def environment(overlay: str, pod: Manifest) -> dict[str, str | None]:
    """What a pod's process finds in its environment; None where a secret says it."""
    (container,) = pod["spec"]["containers"]
    told: dict[str, str | None] = {}
    for source in container.get("envFrom", ()):
        told |= of_kind(overlay, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    return told | {variable["name"]: variable.get("value") for variable in container.get("env", ())}


def service_of(name: str) -> str:
    """The service that a resource is for: Kubernetes takes no underscore in a name."""
    return name.replace("-", "_")
