"""Writes docs/asyncapi.json and docs/schemas from the registry and the models: `make contracts`.

What lies there is released: other teams read it. So nothing is written that breaks a reader or a writer of what is
there already, and no file is ever removed. Golden examples are released by the same command: each is written down with
its SHA-256, once and for all.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Final

import libs.contracts
from libs.bus.kafka.asyncapi import Document, document, document_breaks
from libs.contracts.compatibility import Break, breaks
from libs.contracts.schemas import Schemas, event_schemas

DOCS: Final = Path(__file__).parents[3] / "docs"

EXAMPLES: Final = Path(libs.contracts.__file__).parent / "examples"

LIST: Final = "released.sha256"
"""The released examples, as `sha256sum --check` reads them."""

WHAT_TO_DO: Final = (
    "A released event keeps its meaning. Add a new field as an optional one with a default; for any other change, "
    "leave the event as it was and tell the new one on a topic v2 beside it. Released schemas are never edited by "
    "hand, and released examples are neither edited nor removed: a new case gets a new example."
)


def released_schemas(docs: Path = DOCS) -> Schemas:
    """The schemas that lie in git, by topic and type."""
    files = sorted((docs / "schemas").glob("*/*.json"))
    return {(file.parent.name, file.stem): json.loads(file.read_text("utf-8")) for file in files}


def released_document(docs: Path = DOCS) -> Document | None:
    """The document that lies in git."""
    file = docs / "asyncapi.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else None


def released_examples(examples: Path = EXAMPLES) -> dict[str, str]:
    """The SHA-256 of each released example, by its path."""
    file = examples / LIST
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def lying_examples(examples: Path = EXAMPLES) -> dict[str, str]:
    """The same of what lies there."""
    return {
        file.relative_to(examples).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(examples.rglob("*.json"))
    }


def example_breaks(examples: Path = EXAMPLES) -> list[Break]:
    """Released examples that are gone or were edited."""
    lying = lying_examples(examples)
    return [
        Break(name, "writer", "was edited" if name in lying else "is gone")
        for name, sha256 in released_examples(examples).items()
        if lying.get(name) != sha256
    ]


def all_breaks(now: Schemas, docs: Path = DOCS) -> list[Break]:
    """What today's models and topics break of what lies in git."""
    before = released_document(docs)
    return [*breaks(released_schemas(docs), now), *(document_breaks(before, document()) if before else [])]


def pages(now: Schemas) -> dict[str, str]:
    """What should lie under docs, by path."""
    schemas = {f"schemas/{topic}/{type_}.json": _written(schema) for (topic, type_), schema in now.items()}
    return {"asyncapi.json": _written(document()), **schemas}


def release(now: Schemas, docs: Path = DOCS) -> list[Break]:
    """Write what has changed, or nothing at all when it breaks something, and return what it breaks."""
    broken = all_breaks(now, docs)
    if not broken:
        for name, page in pages(now).items():
            (docs / name).parent.mkdir(parents=True, exist_ok=True)
            (docs / name).write_text(page, encoding="utf-8")
    return broken


def _written(words: dict[str, Any]) -> str:
    return json.dumps(words, indent=2, ensure_ascii=False) + "\n"


def release_examples(examples: Path = EXAMPLES) -> list[Break]:
    """Write down every example that is new, or nothing at all when a released one is gone or was edited."""
    broken = example_breaks(examples)
    if not broken:
        lines = [f"{sha256}  {name}\n" for name, sha256 in lying_examples(examples).items()]
        (examples / LIST).write_text("".join(lines), encoding="utf-8")
    return broken


if __name__ == "__main__":
    found = release(event_schemas()) + release_examples()
    if found:
        sys.exit("\n".join([*map(str, found), WHAT_TO_DO]))
