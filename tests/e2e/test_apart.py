"""`well run`: every service as a process of its own; to the end, and killed one after the other."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import grpc.aio
import pytest

from libs.auth_client.reader import GrantedReader
from libs.runtime.health_grpc import SERVICE
from libs.runtime.proto import status_pb2
from tests.e2e.apart import Apart
from tests.e2e.apart_world import services_apart
from tests.e2e.books import bills_file
from tests.e2e.home import Home
from tests.e2e.killing import killed_in_turn
from tests.support.until import until
from tests.support.web import web_client
from well.apart import NEEDS
from well.demo.company import Company, company_from_csv, make_company, read_bills_csv
from well.demo.scene import SEED
from well.demo.summary import Summary

SERVICES = tuple(service for service in NEEDS if service != "insights")  # it reads Kafka


async def is_whole(apart: Apart, summary: Summary) -> None:
    """Our logs and Qonto's own books say the same: nothing is lost, nothing twice."""
    assert (summary.lost, summary.posted_twice, summary.wrong_links, summary.posted_though_held) == (0, 0, 0, 0)
    assert summary.decided == summary.bills > 0
    uploads = [each for each in (await apart.standins.ask_qonto("invoices"))["invoices"] if each["uploaded"]]
    assert set(Counter(each["sha256"] for each in uploads).values()) == {1}
    assert len(uploads) == summary.posted > 0


async def _standing(apart: Apart, service: str) -> status_pb2.Standing:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{apart.ports[service][1]}") as channel:
        ask = channel.unary_unary(
            f"/{SERVICE}/Get",
            request_serializer=status_pb2.GetRequest.SerializeToString,
            response_deserializer=status_pb2.Standing.FromString,
        )
        standing: status_pb2.Standing = await ask(status_pb2.GetRequest())
        return standing


def _made_up() -> Company:
    return make_company(SEED, datetime.now(UTC).date())


def _forty_bills(folder: Path) -> Company:
    return company_from_csv(read_bills_csv(bills_file(folder, 40), None), SEED, datetime.now(UTC).date())


async def test_a_company_goes_from_consent_to_posted_invoices_through_six_processes(bytecode: Path) -> None:
    async with services_apart(_made_up(), bytecode) as apart:
        apart.start(*SERVICES)
        await apart.ready(*SERVICES)
        await apart.connect()
        summary = await apart.finished()
        await is_whole(apart, summary)
        assert summary.linked > 0
        assert summary.review > 0
        standing = {service: await _standing(apart, service) for service in SERVICES}
        assert all(told.ready and told.service == service for service, told in standing.items())
        heard = {topic for told in standing.values() for group in told.groups for topic in _topics_of(group)}
        assert heard >= {"entity.normalized.v1", "match.decided.v1", "qonto.posted.v1"}
        assert standing["xero_mcp"].budgets[0].accounts == 1
        await _lags_no_more(apart, "pusher", "pusher.intend")
        await _a_link_signs_in(apart)
        await _a_grant_opens(apart)
        assert await apart.stop(*SERVICES) == dict.fromkeys(SERVICES, 0)
        assert not [service for service in SERVICES if "Traceback" in apart.complaints(service)]


async def _lags_no_more(apart: Apart, service: str, group: str) -> None:
    async with web_client() as http:

        async def caught_up() -> bool:
            figures = (await http.get(f"{apart.url(service)}/metrics")).text
            return f'well_consumer_lag_events{{group="{group}"}} 0.0' in figures.splitlines()

        await until(caught_up)


async def _a_link_signs_in(apart: Apart) -> None:
    link = (await apart.command("sign-in")).strip()
    async with web_client() as browser:
        answer = await browser.get(link)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{apart.url('auth')}/status")
        assert (await browser.get(link)).status_code == 403
    assert "well_session" in answer.cookies


async def _a_grant_opens(apart: Apart) -> None:
    words = ("topics", "grant", "--reader", "payments", "--workspace", str(apart.workspace))
    grant = (await apart.command(*words)).strip()
    async with web_client() as http:
        opening = await GrantedReader(grant, apart.url("auth"), http).opening()
        assert opening.workspace == apart.workspace
        posted = await apart.reader.read("pusher", {}, topic="qonto.posted.v1", limit=20)
        opened = [await GrantedReader(grant, apart.url("auth"), http).open(raw) for raw in posted.deliveries[:3]]
    assert [event.workspace for event in opened] == [apart.workspace] * 3


def _topics_of(group: status_pb2.Group) -> list[str]:
    return [position.topic for position in group.positions if position.sequences]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"WELL_AUTH_URL": ""}, "WELL_AUTH_URL: where auth listens"),
        ({}, "Postgres could not do it this time"),
        ({"WELL_SERVICE_SECRET_FILE": "/nowhere"}, "There is no secret file /nowhere"),
    ],
    ids=["untold", "no-postgres", "no-secret"],
)
async def test_what_cannot_run_says_why(home: Home, variables: dict[str, str], sentence: str) -> None:
    secret = home.folder / "secret"
    secret.write_bytes(b"s" * 32)
    secret.chmod(0o600)
    told = {
        "WELL_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/well",
        "WELL_AUTH_URL": "http://127.0.0.1:9",
        "WELL_SERVICE_SECRET_FILE": str(secret),
        "WELL_BLOBS": str(home.folder),
        "WELL_LISTEN": "127.0.0.1:0",
        "WELL_GRPC_LISTEN": "127.0.0.1:0",
    }
    ended = await home.run("run", "pusher", **{**told, **variables})
    assert (ended.status, ended.output) == (1, "")
    assert sentence in ended.complaint
    assert "Traceback" not in ended.complaint


@pytest.mark.slow
async def test_each_service_is_killed_in_turn_and_started_again_and_nothing_is_lost_or_posted_twice(
    bytecode: Path, tmp_path: Path
) -> None:
    async with services_apart(_forty_bills(tmp_path), bytecode) as apart:
        apart.start(*SERVICES)
        await apart.ready(*SERVICES)
        await apart.connect()
        await killed_in_turn(apart, ("ingest", "matcher", "xero_mcp", "auth", "pusher", "console"))
        await apart.ready("matcher", "pusher")
        assert await apart.stop("matcher", "pusher") == {"matcher": 0, "pusher": 0}
        apart.start("matcher", "pusher")
        await is_whole(apart, await apart.finished())
        await apart.ready(*SERVICES)
