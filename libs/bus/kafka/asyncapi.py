"""The AsyncAPI document of all topics, and what a change of it would break. Pure.

It says what other teams may count on: topics with their settings, the key, the headers, and for each message the schema
of what its value holds once it is opened.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0; for the words under `bindings`,
https://github.com/asyncapi/bindings/tree/master/kafka, version 0.5.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from libs.bus.kafka.message import HEADERS, SEALED_TYPE, SEQUENCE_MAX
from libs.bus.kafka.topic_plan import WantedTopic, wanted_topics
from libs.contracts.compatibility import Break, schema_breaks
from libs.contracts.events import Parked
from libs.contracts.identity import BUCKETS
from libs.contracts.schemas import Schema, said_of_type
from libs.contracts.topics import BY_NAME, DLQ_DAYS, TOPICS, Topic, dead_letters_of

Document: TypeAlias = dict[str, Any]

VERSION: Final = "1.0.0"
"""Counts the manner of all messages: key, headers, seal. Each topic counts its own events in its name."""

_BINDING: Final = "0.5.0"

_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_INTRODUCTION: Final = f"""What Well tells, as events on Kafka. docs/consuming.md shows how to read it, docs/events.md
lists the events.

The value of every message is sealed with AES-256-GCM under a key of its workspace; the schema of a message is of what
is inside. Headers are in the open and hold no content.

Delivery is at least once: drop an event whose `ce_id` you have seen. Events of one record come in order: they have one
key, lie in one of {BUCKETS} buckets, and the partition of a bucket is the bucket modulo the number of partitions.

Under `v1` an optional field may be added, and so may an event type, and a value or variant where a schema says
`x-grows`: pass over what you do not know. Any other change comes as a topic `v2` beside the old one.

On a cluster that several installations share, a topic's name has a prefix; ask whoever runs it."""

_HEADER: Final[Mapping[str, Schema]] = {
    "ce_specversion": {"const": "1.0", "description": "The version of CloudEvents."},
    "ce_id": {
        "format": "uuid",
        "description": "The event's id. The same event has the same id however often it comes.",
    },
    "ce_source": {"pattern": "^/well/[a-z_]+$", "description": "`/well/` and the log that holds the event."},
    "ce_type": {"pattern": "^well\\.[A-Za-z]+$", "description": "`well.` and the event's type."},
    "ce_time": {"format": "date-time", "description": "When it was decided, in UTC."},
    "ce_subject": {
        "pattern": "^[0-9a-f]{32}$",
        "description": "The blinded name of the record: equal for all events of one record, and readable for nobody.",
    },
    "content-type": {"const": SEALED_TYPE, "description": "CloudEvents' `datacontenttype`: sealed bytes."},
    "well_log": {
        "pattern": "^[a-z_]+$",
        "description": "The log that holds the event, and part of what its seal binds.",
    },
    "well_workspace": {"format": "uuid", "description": "Whose event it is; its keys open it."},
    "well_bucket": {"pattern": "^[0-9]{1,2}$", "description": f"Its bucket in the log, 0 to {BUCKETS - 1}."},
    "well_sequence": {
        "pattern": "^[0-9]{1,19}$",
        "description": f"Its place in the bucket, 1 to {SEQUENCE_MAX}; rises along a partition for each bucket.",
    },
    "well_previous": {
        "pattern": "^[0-9]{1,19}$",
        "description": "The sequence of the event before it of the same log, topic and bucket; 0 for the first one. "
        "Greater than the last one you saw means that you missed some.",
    },
    "traceparent": {
        "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "W3C Trace Context. All events of one record are one trace.",
    },
}

_KEY: Final[Schema] = {
    "type": "string",
    "pattern": f"^{_UUID}/[0-9a-f]{{32}}$",
    "description": "`<workspace>/<ce_subject>`: whatever partitions by key keeps the order of a record.",
}


def document() -> Document:
    """The document as the registry has it now."""
    wanted = {topic.name: topic for topic in wanted_topics()}
    channels = {}
    for topic in TOPICS:
        channels[topic.name] = _channel(topic, wanted[topic.name])
        letters = wanted[dead_letters_of(topic.name)]
        channels[letters.name] = _dead_letters(topic, letters)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Well",
            "version": VERSION,
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": SEALED_TYPE,
        "servers": {
            "kafka": {
                "host": "{brokers}",
                "protocol": "kafka",
                "description": "What `WELL_KAFKA` names.",
                "variables": {"brokers": {"default": "localhost:9092", "description": "host:port, commas between."}},
            }
        },
        "channels": channels,
        "operations": {f"tell.{name}": _operation(name) for name in channels},
        "components": {
            "messages": {
                f"{name}.{type_}": _message(name, type_)
                for name, channel in channels.items()
                for type_ in channel["messages"]
            },
            "messageTraits": {
                "sealed": {
                    "contentType": SEALED_TYPE,
                    "bindings": {"kafka": {"key": _KEY, "bindingVersion": _BINDING}},
                }
            },
            "schemas": {"headers": headers_schema()},
        },
    }


def headers_schema() -> Schema:
    """The schema of a message's headers, each as text."""
    names = (*HEADERS, "traceparent")
    return {
        "type": "object",
        "properties": {name: {"type": "string", **_HEADER[name]} for name in names},
        "required": list(names),
    }


def document_breaks(released: Document, now: Document) -> list[Break]:
    """What of the released document today's no longer keeps, but for the events, which have schemas of their own."""
    found: list[Break] = []
    for part, schema in (("headers", _headers_in), ("key", _key_in)):
        found += schema_breaks(schema(released), schema(now), where=f"{part}:")
    for name, before in released["channels"].items():
        after = now["channels"].get(name)
        if after is None:
            found.append(Break(name, "reader", "is gone or has another name"))
            continue
        kept, keeps = (each["bindings"]["kafka"]["topicConfiguration"] for each in (before, after))
        if keeps["retention.ms"] < kept["retention.ms"]:
            found.append(Break(name, "reader", "is kept for a shorter time"))
        if keeps["cleanup.policy"] != kept["cleanup.policy"]:
            found.append(Break(name, "reader", "is cleaned up in another way"))
    return found


def _headers_in(words: Document) -> Schema:
    found: Schema = words["components"]["schemas"]["headers"]
    return found


def _key_in(words: Document) -> Schema:
    found: Schema = words["components"]["messageTraits"]["sealed"]["bindings"]["kafka"]["key"]
    return found


def _channel(topic: Topic, wanted: WantedTopic) -> Document:
    return {
        "address": topic.name,
        "summary": f"What {topic.owner} tells.",
        **_carried(topic.name, topic.types, wanted),
        "x-owner": topic.owner,
        "x-readers": list(topic.readers),
        "x-retention-days": topic.retention_days,
        "x-classification": topic.classification,
    }


def _dead_letters(topic: Topic, wanted: WantedTopic) -> Document:
    return {
        "address": wanted.name,
        "summary": f"What a group of consumers could not handle of {topic.name}; its events stand in their log.",
        **_carried(wanted.name, (Parked.__name__,), wanted),
        "x-retention-days": DLQ_DAYS,
        "x-classification": topic.classification,
    }


def _carried(name: str, types: tuple[str, ...], wanted: WantedTopic) -> Document:
    return {
        "messages": {type_: {"$ref": f"#/components/messages/{name}.{type_}"} for type_ in types},
        "bindings": {
            "kafka": {
                "topic": wanted.name,
                "partitions": wanted.partitions,
                "replicas": wanted.replicas,
                "topicConfiguration": {
                    "cleanup.policy": [wanted.settings["cleanup.policy"]],
                    "retention.ms": int(wanted.settings["retention.ms"]),
                },
                "bindingVersion": _BINDING,
            }
        },
        "x-partition": f"well_bucket modulo the number of partitions; there are {BUCKETS} buckets",
    }


def _operation(name: str) -> Document:
    return {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}


def _message(topic: str, type_: str) -> Document:
    source = f"/well/{BY_NAME[topic].owner}" if topic in BY_NAME else None
    here: Schema = {"ce_type": {"const": f"well.{type_}"}} | ({"ce_source": {"const": source}} if source else {})
    return {
        "name": type_,
        "title": type_,
        "summary": said_of_type(type_),
        "traits": [{"$ref": "#/components/messageTraits/sealed"}],
        "headers": {
            "type": "object",
            "allOf": [{"$ref": "#/components/schemas/headers"}, {"properties": here}],
        },
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./schemas/{topic}/{type_}.json"},
        },
    }
