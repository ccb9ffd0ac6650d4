"""Writes docs/events.md from the registry: `python -m tests.unit.contracts.events_page`."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

from libs.contracts.events import Event
from libs.contracts.identity import BUCKETS
from libs.contracts.schemas import said_of
from libs.contracts.topics import DLQ_DAYS, TEN_YEARS_DAYS, TOPICS, Topic

_PAGE: Final = Path(__file__).parents[3] / "docs" / "events.md"

_HEAD: Final = f"""# Topics and events

Made from `libs/contracts/topics.py` and `libs/contracts/events/`; a test fails when it is out of date. What each event
looks like on the wire stands in `libs/contracts/examples/`, one file a type; its JSON Schema lies in `docs/schemas/`,
and `docs/asyncapi.json` says how all of it comes over Kafka.

Events of one record of one workspace keep their order: their key `<workspace>/<record>` decides in which of the
{BUCKETS} buckets of a log they lie. An event's id follows from its cause, so a replay writes the same event again. The
service that owns a topic alone writes it, into its own log, in the transaction whose change it tells of.

Where a type says `v1`, its meaning stays: a new field is optional and has a default, a new value or variant comes only
where the schema says `x-grows`, and any other change is a new topic `v2` beside the old one. What a group of consumers
cannot handle is told on `<topic>.dlq` as `Parked`, for {DLQ_DAYS} days; the event itself stands unchanged in its log.
"""


def events_page() -> str:
    """The page as the registry has it now."""
    return "\n".join([_HEAD, *_overview(), "", *(line for topic in TOPICS for line in _section(topic)), *_parked()])


def _overview() -> list[str]:
    rows = [
        f"| `{topic.name}` | {topic.owner} | {', '.join(topic.readers)} | {_kept(topic)} | {topic.classification} |"
        for topic in TOPICS
    ]
    return ["| topic | from | to | kept | classification |", "|---|---|---|---|---|", *rows]


def _kept(topic: Topic) -> str:
    return "10 years" if topic.retention_days == TEN_YEARS_DAYS else f"{topic.retention_days} days"


def _section(topic: Topic) -> list[str]:
    return [f"## {topic.name}", "", *_table(topic.types), ""]


def _parked() -> list[str]:
    return ["## <topic>.dlq", "", *_table(("Parked",)), ""]


def _table(types: tuple[str, ...]) -> list[str]:
    rows = [f"| `{type_}` | {said_of(_CLASSES[type_])} | {_fields(type_)} |" for type_ in types]
    return ["| event | says | fields |", "|---|---|---|", *rows]


def _fields(type_: str) -> str:
    return ", ".join(f"`{name}`" for name in _CLASSES[type_].model_fields if name != "type")


_CLASSES: Final = {member.__name__: member for member in get_args(get_args(Event)[0])}


if __name__ == "__main__":
    _PAGE.write_text(events_page(), encoding="utf-8")
