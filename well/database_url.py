"""The address of a Postgres of one's own, as `WELL_DATABASE_URL` says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from libs.contracts.errors import Rejected

_HOST: Final = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(:\d*)?")
"""A host in the address of a Postgres, with a port or without one; what drivers say of others repeats parts of them."""


def own_database(environment: Mapping[str, str]) -> str | None:
    """The Postgres that `WELL_DATABASE_URL` names; None when it names none.

    Raises:
        Rejected: `bad_database_url` when it is no address of a Postgres.
    """
    url = environment.get("WELL_DATABASE_URL") or None
    if url is not None and not _is_postgres(url):
        sentence = (
            "WELL_DATABASE_URL is no address of a Postgres, as in postgresql://USER:PASSWORD@HOST:5432/DATABASE. "
            "What a password has of / ? or # is percent-encoded there."
        )
        raise Rejected(sentence, code="bad_database_url")
    return url


def _is_postgres(url: str) -> bool:
    try:
        hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
    except ValueError:  # half an IPv6
        return False
    return url.startswith(("postgresql://", "postgres://")) and all(_HOST.fullmatch(host) for host in hosts)
