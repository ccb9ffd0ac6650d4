"""What the stand-in can be told about itself, kept in its store."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from libs.xero.standin.store import Store


class Settings(BaseModel):
    """How consent is given.

    Attributes:
        consent: `page` asks a person; `auto` approves at once.
        tenant_id: The organisation that `auto` connects; without it the first by name that is not connected yet,
            or, when all are, the first.
        besides: Organisations that the same consent connects too.
        user: Who consents. Without it every organisation has a bookkeeper of its own, so that what one workspace
            revokes does not end another's; one name for two organisations shows what Xero does to such a user.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    consent: Literal["page", "auto"] = "page"
    tenant_id: str | None = None
    besides: tuple[str, ...] = ()
    user: str | None = None


class Limits(BaseModel):
    """How many calls are answered.

    Source: developer.xero.com/documentation/guides/oauth2/limits. All but `app_minute` count for one organisation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minute: int = Field(default=60, ge=0)
    day: int = Field(default=5_000, ge=0)
    concurrent: int = Field(default=5, ge=0)
    app_minute: int = Field(default=10_000, ge=0)


class ClockShift(BaseModel):
    """How far the stand-in's clock was moved forward, so that a restarted process can go on from there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    advance_seconds: float = Field(default=0, ge=0, le=1e9, allow_inf_nan=False)


Told = TypeVar("Told", Settings, Limits, ClockShift)


class SettingsStore:
    """One row for each of the models above; what was never told stands at its default."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, kind: type[Told]) -> Told:
        """What was told last."""
        row = self._store.row("SELECT value FROM setting WHERE name = ?", (kind.__name__,))
        return kind() if row is None else kind.model_validate_json(row["value"])

    def put(self, told: Settings | Limits | ClockShift) -> None:
        """Remember it."""
        self._store.write("INSERT OR REPLACE INTO setting VALUES (?, ?)", (type(told).__name__, told.model_dump_json()))

    def change(self, kind: type[Told], change: object) -> Told:
        """Change some of it; what is not named stays.

        Raises:
            ValueError: a name or a value that the model does not allow.
        """
        if not isinstance(change, dict):
            raise ValueError("an object with the names to change")  # noqa: TRY004 - the caller gave a wrong value
        told = kind.model_validate({**self.get(kind).model_dump(), **change})
        self.put(told)
        return told
