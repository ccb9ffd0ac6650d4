"""`GET /v2/labels`: what transactions are sorted by; read only, as there. Source: docs.qonto.com, "List labels"."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid5

from aiohttp import web

from libs.qonto.standin.answers import Refusal, json_answer
from libs.qonto.standin.grants import organization_of
from libs.qonto.standin.listing import meta_of, page_wanted
from libs.qonto.standin.world import WORLD

_NAMES: Final = (("Achats", None), ("Fournitures", "Achats"), ("Loyer", "Achats"))
"""Each label with the one it belongs to: every organization has the same, under ids of its own."""


async def list_labels(request: web.Request) -> web.Response:
    """A page of an organization's labels."""
    labels = _labels_of(request)
    page, per_page = page_wanted(request.query)
    shown = labels[(page - 1) * per_page : page * per_page]
    return json_answer({"labels": shown, "meta": meta_of(page, per_page, len(labels))})


async def show_label(request: web.Request) -> web.Response:
    """One label."""
    found = next((label for label in _labels_of(request) if label["id"] == request.match_info["id"]), None)
    if found is None:
        raise Refusal(404, "not_found", "Label not found", {"parameter": "id"})
    return json_answer({"label": found})


def _labels_of(request: web.Request) -> list[dict[str, Any]]:
    authorization = request.headers.get("Authorization", "")
    organization_id = organization_of(request.app[WORLD], authorization, "organization.read")
    ids = {name: str(uuid5(UUID(int=0), f"{organization_id} label {name}")) for name, _ in _NAMES}
    return [{"id": ids[name], "name": name, "parent_id": ids[above] if above else None} for name, above in _NAMES]
