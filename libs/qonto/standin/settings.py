"""What may be set while the stand-in runs, and stays set in its file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """The switches of one stand-in.

    Attributes:
        analysis_delay_seconds: How long a new invoice keeps its empty fields, by the stand-in's clock.
        consent: `page` asks a person in HTML; `auto` says yes at once, for the organization the request names.
        consent_organization: The organization `auto` grants when the request names none; None is the oldest one.
        staging_token: When set, a call without it in `X-Qonto-Staging-Token` gets the sandbox's HTML.
        calls_per_10_seconds: Calls of one address; source: docs.qonto.com, "Rate limits".
        calls_per_10_minutes: The same, over the longer window.
        unauthorized_per_hour: Answers of 401 to one address before it is throttled; the same source.
        retry_after: Whether 429 names the seconds to wait; Qonto does not document that it does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    analysis_delay_seconds: Annotated[float, Field(ge=0)] = 2.0
    consent: Literal["page", "auto"] = "page"
    consent_organization: str | None = None
    staging_token: str | None = None
    calls_per_10_seconds: Count = 1_000
    calls_per_10_minutes: Count = 10_000
    unauthorized_per_hour: Count = 200
    retry_after: bool = True
