"""Nothing that a run leaves behind holds a key or a token, and after an erasure nothing of the workspace can be read.

The services run apart over a real Kafka and a real Postgres, and say as much as they can to their logs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from aiokafka import AIOKafkaProducer

from libs.bus.kafka.topic_plan import plan_topics, wanted_topics
from libs.bus.kafka.topics import open_topics
from libs.contracts.errors import Rejected
from libs.crypto.key_provider import FileKeyProvider
from libs.crypto.keyring import sealers_of
from libs.crypto.service_secret import service_secret
from libs.database.postgres import open_database
from libs.database.roles import password_from, role_of
from libs.database.schemas import SERVICES as WITH_SCHEMA
from libs.eventlog.reader import PostgresLogReader
from libs.runtime.clock import SystemClock
from services.auth.adapters.postgres_keys import PostgresKeyStore
from services.auth.domain.wrapped_key import PURPOSES
from services.auth.flow.keyring import StoredKeyring
from services.ingest.adapters.mcp_grant import GrantKeeper
from services.ingest.adapters.postgres import PostgresStore
from services.xero_mcp.config import XeroMcpSettings
from tests.e2e.apart import Apart
from tests.e2e.apart_world import services_apart
from tests.e2e.searching import everything_at_rest, everything_said, found_in, messages_of, segments_of
from tests.e2e.test_apart import SERVICES
from well.demo.company import Company, make_company
from well.demo.scene import SEED

RUNNING: Final = (*SERVICES, "insights")

PRINTED: Final = {"a reader's grant": {"payments.out"}}
"""What a command prints because that is what it is for, and the file that it wrote to."""

AMOUNT_MIN: Final = 1000
"""Euros. An amount of fewer digits stands by chance in the fractions of an instant."""


def _words_of(company: Company) -> dict[str, set[bytes]]:
    """Names, numbers, accounts and amounts that stand in the company's books, by what they are."""
    bills = [bill for bill in company.xero_invoices if bill["Type"] == "ACCPAY"]
    read = company.qonto_invoices
    amounts = {f"{bill['Total']:.2f}" for bill in bills if bill["Total"] > AMOUNT_MIN}
    amounts |= {invoice["total_amount"]["value"] for invoice in read if invoice["total_amount"]}
    return {
        "names": {bill["Contact"]["Name"].encode() for bill in bills},
        "numbers": {number.encode() for bill in bills if len(number := bill["InvoiceNumber"] or "") > 6},
        "accounts": {account.encode() for each in company.xero_contacts if (account := each["BankAccountDetails"])},
        "amounts": {amount.encode() for amount in amounts if len(amount) > len("999.99")},
    }


async def test_no_key_or_token_leaves_its_place_and_after_an_erasure_nothing_of_the_workspace_is_readable(
    bytecode: Path, kafka: str, topic_prefix: str, kafka_records: Path | None
) -> None:
    company = make_company(SEED, datetime.now(UTC).date(), bills=40)
    words = _words_of(company)
    assert all(len(each) > 5 for each in words.values())
    async with services_apart(company, bytecode, (kafka, topic_prefix)) as apart:
        apart.log_level = "debug"
        apart.start(*RUNNING)
        await apart.ready(*RUNNING)
        await apart.connect()
        summary = await apart.finished()
        assert summary.posted > 0
        await _they_were_processed(apart.reader, words)
        secrets = await _secrets_of(apart)
        await _the_search_would_find(apart, next(iter(words["names"])), secrets["data key of tokens"])
        written = await everything_said(apart) | await everything_at_rest(apart)
        for kind, secret in secrets.items():
            assert found_in(written, [secret]) - PRINTED.get(kind, set()) == set(), kind

        told = await apart.command("workspace", "erase", "--workspace", str(apart.workspace), "--yes")
        assert f"Workspace {apart.workspace} is erased." in told
        written = await everything_at_rest(apart) | await everything_said(apart)
        if kafka_records is not None:
            written |= (segments := segments_of(kafka_records, topic_prefix))
            assert sum(map(len, segments.values())) > 10_000
        assert len([place for place in written if place.startswith("blob ")]) > 3
        assert len([place for place in written if place.startswith("topic ")]) > 6
        for kind, known in words.items():
            assert found_in(written, known) == set(), kind
        await _nothing_opens_any_more(apart)
        assert await apart.stop(*RUNNING) == dict.fromkeys(RUNNING, 0)
        assert not [service for service in RUNNING if "Traceback" in apart.complaints(service)]


async def _they_were_processed(reader: PostgresLogReader, words: dict[str, set[bytes]]) -> None:
    """What is searched for stands in the events, so that something would be found if they were readable."""
    read = await reader.read("ingest", {}, topic="entity.normalized.v1", limit=10_000)
    said = b"".join([(await reader.open(raw)).envelope.model_dump_json().encode() for raw in read.deliveries])
    assert {kind for kind, known in words.items() if any(word in said for word in known)} >= {"names", "numbers"}


async def _the_search_would_find(apart: Apart, name: bytes, key: bytes) -> None:
    """A name and a key that are put into a table, a file, a topic and a log are found in each, in whatever form."""
    assert apart.kafka is not None
    bootstrap, control = apart.kafka[0], f"planted-{apart.workspace}"
    async with open_topics(bootstrap) as topics:
        topic = replace(wanted_topics("", partitions=1, replicas=1)[0], name=control)
        await topics.carry_out(plan_topics([topic], []))
    planted = apart.installation.blobs / "planted"
    log = apart.installation.folder / "planted.err"
    await apart.admin.execute("CREATE TABLE public.planted (words text, secret bytea)")
    await apart.admin.execute("INSERT INTO public.planted VALUES ($1, $2)", name.decode(), key)
    planted.write_bytes(b"%PDF-1.7 " + name + key)
    log.write_text(f"it failed with {name.decode()} and {key!r} {key.hex()}", "utf-8")
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type="zstd") as producer:
        await producer.send_and_wait(control, name * 50, key=b"k", headers=[("secret", key)])
    written = await everything_at_rest(apart) | await everything_said(apart) | await messages_of(bootstrap, control)
    for word in (name, key):
        assert found_in(written, [word]) == {"pg_dump", "blob planted", "planted.err", f"topic {control}"}
    await apart.admin.execute("DROP TABLE public.planted")
    planted.unlink()
    log.unlink()


async def _secrets_of(apart: Apart) -> dict[str, bytes]:
    """Every key and token of the run, by what it is: ours, the providers', and those that follow from the first key."""
    installation = apart.installation
    master = installation.key_file.read_bytes()
    found = {"the key": master}
    found |= {f"secret of {service}": service_secret(master, service) for service in RUNNING}
    found |= {f"password of {service}": password_from(master, service).encode() for service in WITH_SCHEMA}
    database = await open_database(apart.dsn, role=role_of("auth"))
    keyring = StoredKeyring(database, PostgresKeyStore(), FileKeyProvider(installation.key_file), SystemClock())
    for purpose in PURPOSES:
        keys = await keyring.keys(apart.workspace, purpose)
        found[f"data key of {purpose}"] = keys.current.secret
        if keys.index_secret:
            found["index secret"] = keys.index_secret
    ingest = await open_database(apart.dsn, role=role_of("ingest"))
    mcp_url = XeroMcpSettings(url=apart.url("xero_mcp")).resource
    sealers = sealers_of(keyring, SystemClock())
    grant = await GrantKeeper(ingest, PostgresStore(), sealers.tokens, apart.workspace, mcp_url).load()
    assert grant is not None
    found["token of our MCP"] = grant.access_token.encode()
    found["refresh token of our MCP"] = (grant.refresh_token or "").encode()
    await ingest.close()
    await database.close()
    for provider, tokens in (("xero", "token"), ("qonto", "tokens")):
        issued = list(_issued(installation.standins / f"{provider}.sqlite", tokens))
        assert len(issued) >= 2
        found |= {f"token {number} of {provider}": token.encode() for number, token in enumerate(issued)}
    words = ("topics", "grant", "--workspace", str(apart.workspace), "--reader", "payments")
    found["a reader's grant"] = (await apart.command(*words)).strip().partition(".")[2].encode()
    assert all(len(secret) > 20 for secret in found.values())
    return found


def _issued(file: Path, table: str) -> Iterator[str]:
    """Every token that a stand-in has given out."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
        yield from (token for (token,) in store.execute(f"SELECT token FROM {table}"))  # noqa: S608 our own names
    store.close()


async def _nothing_opens_any_more(apart: Apart) -> None:
    """Whoever has the key-encryption key and the whole database opens no event, and gets no key."""
    database = await open_database(apart.dsn, role=role_of("auth"))
    provider = FileKeyProvider(apart.installation.key_file)
    sealers = sealers_of(StoredKeyring(database, PostgresKeyStore(), provider, SystemClock()), SystemClock())
    for sealer in (sealers.tokens, sealers.payloads, sealers.documents):
        with pytest.raises(Rejected) as gone:
            await sealer.of(apart.workspace)
        assert gone.value.code == "workspace_erased"
    kept = "SELECT count(*) FROM auth.workspace_key WHERE workspace = $1"
    assert await apart.admin.fetchval(kept, apart.workspace) == 0
    await database.close()
