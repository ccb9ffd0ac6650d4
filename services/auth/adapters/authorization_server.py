"""A provider's authorization server: Authlib builds the requests, this file says what each answer asks of us."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from libs.contracts.errors import Rejected, Transient
from libs.runtime.clock import Clock
from libs.runtime.tls import authorities
from services.auth.adapters.accounts import Accounts
from services.auth.domain.connection import TITLES, Account, Connection, TokenPair
from services.auth.ports import ProviderProfile

CALL_SECONDS: Final = 10.0
"""Seconds for one token call, to its last byte. Two, one with each refresh token, fit into a lease of 25 s."""

SHORTEST_LIFE: Final = timedelta(minutes=5)
"""What we believe when a provider does not say how long its token lives, or says what cannot be: less than either
provider's, and more than the time at which a token is refreshed, or each would be refreshed as soon as it came."""

LONGEST_LIFE: Final = timedelta(days=1)
"""Either provider's tokens live for an hour at most; what is said to live for years would never be renewed."""

TOKEN_MAX: Final = 8192
"""Characters of a token. Xero's, a JWT with all scopes, has some 1,500; servers commonly refuse headers above 8 kB."""


_REFUSALS: Final = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "token_inactive",
    }
)
"""The refusals of a token endpoint. No other word of a provider gets into a code or a sentence, which reach logs.
Sources: RFC 6749, section 5.2; the last is Hydra's (ory/hydra#3004)."""

ClientAuthentication = Literal["client_secret_basic", "client_secret_post"]


@dataclass(frozen=True)
class RegisteredApp:
    """Our registration at a provider.

    Attributes:
        client_id: Public.
        client_secret: Never shown.
        redirect_uri: Registered there, letter for letter. Xero takes https, or `http://localhost` (not 127.0.0.1).
        headers: What every call must carry, such as Qonto's staging token.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ServerAddresses:
    """Where a provider's authorization server is."""

    authorize_url: str
    token_url: str
    revoke_url: str


class AuthorizationServer:
    """The client of one provider's authorization server.

    Args:
        profile: What is fixed about the provider.
        app: Our registration there.
        addresses: Where it is.
        client_authentication: Xero takes HTTP Basic; Qonto takes the form body only and refuses Basic.
        accounts: Asks whose accounts a consent opens.
        clock: Tells when a token runs out.
        call_seconds: How long a token call may take.

    Notes:
        A refresh is one POST and is never repeated in here: who repeats it must know what the first one may have done.
    """

    def __init__(
        self,
        *,
        profile: ProviderProfile,
        app: RegisteredApp,
        addresses: ServerAddresses,
        client_authentication: ClientAuthentication,
        accounts: Accounts,
        clock: Clock,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._profile = profile
        self._title = TITLES[profile.provider]
        self._app = app
        self._addresses = addresses
        self._client_authentication = client_authentication
        self._accounts = accounts
        self._clock = clock
        self._call_seconds = call_seconds

    @property
    def profile(self) -> ProviderProfile:
        """What is fixed about it."""
        return self._profile

    def authorize_url(self, *, state: str, challenge: str, scopes: Sequence[str]) -> str:
        """Where to send the browser."""
        query = {
            "response_type": "code",
            "client_id": self._app.client_id,
            "redirect_uri": self._app.redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._addresses.authorize_url}?{urlencode(query)}"

    def is_issuer(self, named: str) -> bool:
        """Whether an authorization server that names itself so (RFC 9207) is this one.

        Qonto's name is not documented: any address of a host that we ask for consents or tokens is taken for it.
        """
        ours = {urlsplit(url).netloc for url in (self._addresses.authorize_url, self._addresses.token_url)}
        try:
            return urlsplit(named).netloc in ours
        except ValueError:  # no address at all
            return False

    async def exchange(self, *, code: str, verifier: str, scopes: Sequence[str]) -> TokenPair:
        """The first token pair of a consent.

        Raises:
            Transient: No clear answer came.
            Rejected: The provider's `error` as code, such as `invalid_grant` for a code that was used before.
        """
        return await self._tokens(
            lambda client: client.fetch_token(
                self._addresses.token_url,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=self._app.redirect_uri,
            ),
            scopes,
        )

    async def refresh(self, refresh_token: str) -> TokenPair:
        """The next token pair.

        Raises:
            Transient: No clear answer came; the provider may have rotated.
            Rejected: The provider's `error` as code, such as `invalid_grant`; `refused` for a word that is none.
        """
        return await self._tokens(
            lambda client: client.refresh_token(self._addresses.token_url, refresh_token=refresh_token),
            self._profile.scopes,
        )

    async def accounts(self, pair: TokenPair) -> Sequence[Account]:
        """The accounts that the consent just given may mean, as far as the provider tells."""
        return await self._accounts.meant_by(pair)

    async def opens(self, access_token: str, account: Account) -> bool:
        """Whether a token still opens an account; False only when the provider says for certain that it does not."""
        return await self._accounts.open_to(access_token, account)

    async def end(self, connection: Connection) -> None:
        """End what was granted for the account: first the account, then the grant if nothing else hangs on it.

        Raises:
            ConsentLost: The access token is not honoured.
            Transient: No clear answer came.
            Rejected: `http_<status>`, or as the provider's API says, when it refused.
        """
        access_token = connection.access_token or ""
        grant_too = await self._accounts.ended(access_token, connection.account, connection.scopes)
        if grant_too and connection.refresh_token is not None:
            await self._revoke(connection.refresh_token)

    async def _revoke(self, refresh_token: str) -> None:
        """A grant that has ended already is as good (RFC 7009, section 2.2)."""
        async with self._client() as client:
            try:
                answer = await client.revoke_token(
                    self._addresses.revoke_url,
                    token=refresh_token,
                    token_type_hint="refresh_token",  # noqa: S106 a kind, no secret
                )
            except httpx2.HTTPError as error:
                raise self._silent(error) from None
        if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
            raise Transient(f"{self._title} did not end the consent ({answer.status_code}).")
        if answer.status_code >= httpx2.codes.BAD_REQUEST:
            sentence = f"{self._title} refused to end the consent ({answer.status_code})."
            raise Rejected(sentence, code=f"http_{answer.status_code}")

    async def _tokens(self, call: Callable[[Any], Awaitable[Mapping[str, Any]]], scopes: Sequence[str]) -> TokenPair:
        asked_at = self._clock.now()
        try:
            # The client's own limit is begun anew by each byte.
            async with asyncio.timeout(self._call_seconds), self._client() as client:
                return self._pair(await call(client), asked_at, scopes)
        except OAuthError as error:
            code = str(error.error) if str(error.error) in _REFUSALS else "refused"
            raise Rejected(f"{self._title} refused the token request ({code}).", code=code) from None
        except (httpx2.HTTPError, TimeoutError) as error:
            raise self._silent(error) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            sentence = f"{self._title} answered a token request with something that is not its JSON."
            raise Transient(sentence) from None

    def _pair(self, answer: Mapping[str, Any], asked_at: datetime, scopes: Sequence[str]) -> TokenPair:
        scope, refresh = answer.get("scope"), answer.get("refresh_token")
        return TokenPair(
            access=_token(answer["access_token"]),
            refresh=None if refresh is None else _token(refresh),
            expires_at=asked_at + _life(answer.get("expires_in")),
            scopes=tuple(scope.split()) if isinstance(scope, str) and scope else tuple(scopes),
        )

    def _client(self) -> AsyncOAuth2Client:
        app = self._app
        return AsyncOAuth2Client(
            app.client_id,
            app.client_secret,
            token_endpoint_auth_method=self._client_authentication,
            revocation_endpoint_auth_method=self._client_authentication,
            headers=dict(app.headers),
            timeout=CALL_SECONDS,
            verify=authorities(),
        )

    def _silent(self, error: Exception) -> Transient:
        return Transient(f"{self._title} did not answer a token request ({type(error).__name__}).")


def _token(said: object) -> str:
    """A token that can stand in a header.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(said, str) or not 0 < len(said) <= TOKEN_MAX or not all("!" <= letter <= "~" for letter in said):
        raise ValueError("not a token")
    return said


def _life(said: object) -> timedelta:
    seconds = said if isinstance(said, int | float) else 0
    believed = SHORTEST_LIFE.total_seconds() <= seconds <= LONGEST_LIFE.total_seconds()
    return timedelta(seconds=seconds) if believed else SHORTEST_LIFE
