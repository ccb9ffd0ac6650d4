"""An access token as its borrower holds it: for one call, never kept, never shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class LentToken:
    """What auth lends.

    Attributes:
        secret: The bearer token. It is left out of every repr.
        account: The provider's own id of the account it opens: Xero's tenant, Qonto's organization, or `unknown`.
        expires_at: When the provider stops honouring it. Auth lends none that is about to.
    """

    secret: str = field(repr=False)
    account: str
    expires_at: datetime
