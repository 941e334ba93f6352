"""Bearer tokens of an OpenID Connect issuer: signed by keys it publishes, meant for us, with scopes that are ours."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from shared.auth.keys import SCOPES, Principal
from shared.clock import Clock
from shared.http.problem import Problem

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

#: no shared secrets: whoever can check a token could also make one
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_KEPT = timedelta(minutes=10)
#: a token with a key that is not known may ask for the keys again, but not every one of a flood
_ASKED_AGAIN = timedelta(seconds=10)
_LEEWAY_SECONDS = 30
_LONGEST_SUBJECT = 200


class OidcDoor:
    """A door of the KeyRing. The subject stands where a key's name would: never a person's name, which travels."""

    def __init__(
        self, issuer: str, audience: str, claim: str, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._issuer, self._audience, self._claim, self._clock = issuer, audience, claim, clock
        self._transport = transport
        self._keys: KeySet | None = None
        self._read_at = clock.now() - _KEPT
        self._reading = asyncio.Lock()

    async def admit(self, token: str) -> Principal | None:
        """Who a token speaks for; None where it is not good. Raises the 503 Problem where the issuer is away."""
        if token.count(".") != 2:
            return None
        claims = self._claims(token, await self._known(_KEPT))
        if claims is None and self._clock.now() - self._read_at >= _ASKED_AGAIN:
            claims = self._claims(token, await self._known(_ASKED_AGAIN))  # the issuer may have new keys
        return None if claims is None else self._principal(claims)

    def _claims(self, token: str, keys: KeySet) -> dict[str, Any] | None:
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            return dict(jwt.decode(token, keys, algorithms=_ALGORITHMS).claims)
        except (JoseError, ValueError, TypeError, KeyError):
            return None

    def _principal(self, claims: dict[str, Any]) -> Principal | None:
        now = self._clock.now().timestamp()
        audience, subject = claims.get("aud"), claims.get("sub")
        expires, begins = _number(claims.get("exp")), _number(claims.get("nbf", 0))
        meant = audience == self._audience or (isinstance(audience, list) and self._audience in audience)
        if claims.get("iss") != self._issuer or not meant:
            return None
        if expires is None or begins is None or not begins - _LEEWAY_SECONDS <= now < expires + _LEEWAY_SECONDS:
            return None
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
            return None
        said = claims.get(self._claim, "")
        names = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
        return Principal(f"oidc:{subject}", subject, frozenset(name for name in names if name in SCOPES))

    async def _known(self, fresh: timedelta) -> KeySet:
        async with self._reading:
            if self._keys is None or self._clock.now() - self._read_at >= fresh:
                self._keys, self._read_at = await self._read(), self._clock.now()
            return self._keys

    async def _read(self) -> KeySet:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        about = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            async with httpx.AsyncClient(timeout=5, transport=self._transport) as client:
                found = (await client.get(about)).raise_for_status().json()
                if found["issuer"] != self._issuer:
                    raise ValueError("another issuer")
                return KeySet.import_key_set((await client.get(found["jwks_uri"])).raise_for_status().json())
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError):
            if self._keys is not None:
                return self._keys
            detail = "The issuer of tokens does not answer."
            raise Problem(
                503, "unavailable", "Not available for the moment", detail, headers={"Retry-After": "5"}
            ) from None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
