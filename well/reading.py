"""Insights as a process. It has no rows in Postgres, so that it is put together otherwise than the services that do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from libs.auth_client.client import AuthClient
from libs.contracts.errors import Rejected
from libs.crypto.keyring import Sealer
from libs.crypto.service_secret import read_service_secret
from libs.runtime.clock import Clock
from libs.runtime.health import Check, Health
from libs.runtime.health_grpc import serving_grpc
from libs.runtime.listen import bound_socket, port_of
from libs.runtime.tls import authorities
from libs.runtime.working import working
from well.apart import Apart
from well.part import over_aiohttp
from well.process import Running, auth_lives


@asynccontextmanager
async def running_insights(apart: Apart, clock: Clock) -> AsyncIterator[Running]:
    """Insights, as long as the block lasts.

    Raises:
        ExceptionGroup: The reading ended with an error that no pause helps; the block is cancelled.
        Rejected: A file or an address cannot be used as it is, or a topic is missing.
        Transient: Kafka does not answer.
    """
    from services.insights.config import InsightsConfig
    from services.insights.main import build

    if apart.cluster is None:
        raise Rejected("insights reads Kafka; set WELL_KAFKA.", code="settings_missing")
    async with AsyncExitStack() as stack:
        bound = bound_socket(apart.port, apart.host)
        stack.callback(bound.close)
        http = await stack.enter_async_context(
            httpx.AsyncClient(verify=authorities(), timeout=apart.settings.http_timeout_seconds)
        )
        auth = AuthClient(apart.service, read_service_secret(apart.secret_file), apart.auth_url, http, clock)
        config = InsightsConfig(apart.cluster.bootstrap, apart.cluster.prefix, apart.insights_group)
        service = await build(config, sealer=Sealer(auth, "payloads", clock), visitors=auth, clock=clock)
        figures = Check("figures", service.ready, "Figures are being put together, or another insights has a part.")
        health = Health(
            apart.service,
            checks=(auth_lives(apart, http), figures),
            carriers=(),
            workers=(),
            readings=(service.reading,),
        )
        await stack.enter_async_context(over_aiohttp(service.app)(bound, health))
        grpc_port = await stack.enter_async_context(serving_grpc(apart.grpc, health))
        await stack.enter_async_context(working((service.reading,)))
        yield Running(apart.service, port_of(bound), grpc_port)
