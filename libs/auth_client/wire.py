"""What auth and its callers say to each other under `/internal/v1`. Both sides read these forms and no others.

```
POST tokens/{provider}/lend                      Workspace       -> Lent
POST tokens/{provider}/refused                   RefusedToken    -> 204
POST tokens/{provider}/forbidden                 Workspace       -> 204
GET  workspaces                                                  -> Listed
GET  workspaces?connected={provider}                             -> Listed
GET  erased                                                      -> Listed
GET  workspaces/{workspace}/connections/{provider}               -> Connection
GET  workspaces/{workspace}/keys/{purpose}                       -> Keys
POST consents/ask                                ConsentRequest  -> Address
POST consents/redeem                             Grant           -> Consent
POST consents/stands                             Consent         -> Standing
POST consents/end                                Consent         -> 204
POST visitors                                    Visit           -> Workspace
GET  opening-keys                                                -> OpeningKeys
```

The last one is for readers of other teams, who show a grant where services show their token.

Whatever fails is a `Failure`: one of the six errors by its name, with its sentence.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from libs.contracts.errors import (
    ConsentLost,
    Malformed,
    OutcomeUnknown,
    Rejected,
    Stale,
    Transient,
    WellError,
)
from libs.contracts.model import Instant, Published, Sentence
from libs.crypto.seal import DataKey, WorkspaceKeys, WorkspaceOpening

PREFIX: Final = "/internal/v1"

SESSION_COOKIE: Final = "well_session"
"""The cookie in which a browser carries its session, to whichever service it comes."""

WORKSPACES_MAX: Final = 50_000
"""Workspaces of a list: two megabytes. One installation of a region is far smaller, and jobs visit all of them."""

KEYS_MAX: Final = 1_000
"""Keys of a workspace for one purpose: one a month for eighty years."""

Secret = Annotated[str, Field(min_length=1, max_length=8192, repr=False)]
"""Characters of a provider's token: Xero's is a JWT of some 1,500; servers commonly refuse headers above 8 kB."""

KeyHex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A key of 32 bytes. Whatever holds one leaves it out of its repr."""

Text = Annotated[str, Field(max_length=2048)]
"""Codepoints of an address or of a program's own words; browsers and servers agree on addresses of this length."""


class Workspace(Published):
    """One workspace."""

    workspace: UUID


class Lent(Published):
    """A token for one call."""

    secret: Secret
    account: Text
    expires_at: Instant


class RefusedToken(Published):
    """The provider answered 401 to this token."""

    workspace: UUID
    secret: Secret


class Listed(Published):
    """Workspaces."""

    workspaces: Annotated[tuple[UUID, ...], Field(max_length=WORKSPACES_MAX)]


class Connection(Published):
    """How a connection stands."""

    state: Literal["none", "active", "refused", "lost", "revoked"]


class Keys(Published):
    """All keys of a workspace for one purpose, in the open: they are for memory only, and no log may hold this."""

    workspace: UUID
    current: UUID
    by_id: Annotated[dict[UUID, KeyHex], Field(max_length=KEYS_MAX, repr=False)]
    index_secret: Annotated[KeyHex | None, Field(repr=False)] = None

    @model_validator(mode="after")
    def _one_of_them_seals(self) -> Self:
        if self.current not in self.by_id:
            raise ValueError("the current key is not among them")
        return self


class OpeningKeys(Published):
    """What opens the events of a workspace, in the open: its keys by their ids, and not the one of blinded names."""

    workspace: UUID
    keys: Annotated[dict[UUID, KeyHex], Field(max_length=KEYS_MAX, repr=False)]


class ConsentRequest(Published):
    """What an MCP client asks for, in its own words; `return_to` holds what its request is known by."""

    client_name: Text
    redirect_host: Text
    document_host: Text = ""
    scopes: Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=32)]
    return_to: Annotated[Text, Field(repr=False)]


class Address(Published):
    """Where to send a browser; the address holds what the browser proves itself by."""

    url: Annotated[str, Field(max_length=4096, repr=False)]


class Grant(Published):
    """What a browser brought back from the consent page."""

    grant: Annotated[str, Field(max_length=256, repr=False)]
    return_to: Annotated[Text, Field(repr=False)]


class Consent(Published):
    """A program's consent."""

    workspace: UUID
    consent: UUID


class Standing(Published):
    """Whether a program may still read."""

    stands: bool


class Visit(Published):
    """The session that a browser carries; empty when it carries none."""

    session: Annotated[str, Field(max_length=256, repr=False)]


class Failure(Published):
    """One of the six errors.

    Attributes:
        kind: Its name.
        sentence: What it says.
        code: The word of a `Rejected` or `Malformed`.
        retry_after_seconds: The wait of a `Transient`.
    """

    kind: Literal["Transient", "Rejected", "Malformed", "ConsentLost", "OutcomeUnknown", "Stale"]
    sentence: Sentence
    code: Annotated[str, Field(max_length=64)] | None = None
    retry_after_seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None


STATUS: Final = {
    "Transient": HTTPStatus.SERVICE_UNAVAILABLE,
    "Rejected": HTTPStatus.FORBIDDEN,
    "Malformed": HTTPStatus.BAD_REQUEST,
    "ConsentLost": HTTPStatus.CONFLICT,
    "OutcomeUnknown": HTTPStatus.BAD_GATEWAY,
    "Stale": HTTPStatus.PRECONDITION_FAILED,
}
"""The HTTP status beside each error, for whoever looks at traffic; callers go by the name."""


def failure_of(error: WellError) -> Failure:
    """An error as it travels."""
    return Failure.model_validate(
        {
            "kind": type(error).__name__,
            "sentence": error.sentence[:600],
            "code": error.code if isinstance(error, (Rejected, Malformed)) else None,
            "retry_after_seconds": error.retry_after_seconds if isinstance(error, Transient) else None,
        }
    )


def error_of(failure: Failure) -> WellError:
    """The same error again."""
    match failure.kind:
        case "Transient":
            return Transient(failure.sentence, retry_after_seconds=failure.retry_after_seconds)
        case "Rejected":
            return Rejected(failure.sentence, code=failure.code or "refused")
        case "Malformed":
            return Malformed(failure.sentence, code=failure.code or "malformed")
        case "ConsentLost":
            return ConsentLost(failure.sentence)
        case "OutcomeUnknown":
            return OutcomeUnknown(failure.sentence)
        case "Stale":
            return Stale(failure.sentence)


def keys_told(keys: WorkspaceKeys) -> Keys:
    """Keys as they travel."""
    return Keys(
        workspace=keys.workspace,
        current=keys.current.id,
        by_id={key.id: key.secret.hex() for key in keys.by_id.values()},
        index_secret=keys.index_secret.hex() if keys.index_secret else None,
    )


def opening_keys_told(keys: WorkspaceKeys) -> OpeningKeys:
    """The part of the keys that a reader gets."""
    return OpeningKeys(workspace=keys.workspace, keys={key.id: key.secret.hex() for key in keys.by_id.values()})


def opening_of(told: OpeningKeys) -> WorkspaceOpening:
    """What a reader opens with."""
    return WorkspaceOpening(told.workspace, {key: DataKey(key, bytes.fromhex(told.keys[key])) for key in told.keys})


def keys_of(told: Keys) -> WorkspaceKeys:
    """The keys again."""
    by_id = {key: DataKey(key, bytes.fromhex(secret)) for key, secret in told.by_id.items()}
    index_secret = bytes.fromhex(told.index_secret) if told.index_secret else None
    return WorkspaceKeys(told.workspace, by_id[told.current], by_id, index_secret)
