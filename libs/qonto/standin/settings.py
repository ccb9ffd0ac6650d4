"""What may be set while the stand-in runs, and stays set in its file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from libs.qonto.standin.store import Store

Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """The switches of one stand-in.

    Attributes:
        analysis_delay_seconds: How long a new invoice keeps its empty fields, by the stand-in's clock.
        consent: `page` asks a person in HTML; `auto` says yes at once, for the first organization or the one named.
        staging_token: When set, a call without it in `X-Qonto-Staging-Token` gets the sandbox's HTML.
        calls_per_10_seconds: Calls of one address; source: docs.qonto.com, "Rate limits".
        calls_per_10_minutes: The same, over the longer window.
        unauthorized_per_hour: Answers of 401 to one address before it is throttled; the same source.
        retry_after: Whether 429 names the seconds to wait; Qonto does not document that it does.
        advanced_seconds: How far the clock has been moved, so that a restart does not turn it back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    analysis_delay_seconds: Annotated[float, Field(ge=0)] = 2.0
    consent: Literal["page", "auto"] = "page"
    staging_token: str | None = None
    calls_per_10_seconds: Count = 1_000
    calls_per_10_minutes: Count = 10_000
    unauthorized_per_hour: Count = 200
    retry_after: bool = True
    advanced_seconds: Annotated[float, Field(ge=0)] = 0.0


def load_settings(store: Store) -> Settings:
    """The settings the file holds, or the usual ones."""
    row = store.row("select value from settings where name = 'settings'")
    return Settings() if row is None else Settings.model_validate_json(row["value"])


def save_settings(store: Store, settings: Settings) -> None:
    """Keep the settings in the file."""
    store.run("insert or replace into settings values ('settings', ?)", settings.model_dump_json())
