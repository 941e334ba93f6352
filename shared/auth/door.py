"""The dependency that lets a request in: who asks, and whether one of their scopes is enough."""

from __future__ import annotations

from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from shared.auth.keys import SCOPES, KeyRing, Principal
from shared.auth.signed import SESSION_COOKIE, verify_session
from shared.http.problem import Problem
from shared.http.route import header_of

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Requires(SecurityBase):
    """The dependency that `requires` makes."""

    def __init__(self, scopes: frozenset[str]) -> None:
        self.scopes = scopes
        self.scheme_name = "key"
        self.model = HTTPBearer(
            description="`Authorization: Bearer cl_<id>_<secret>_<check>`, or a token of OpenID Connect",
            bearerFormat="cl_",
        )

    async def __call__(self, request: Request) -> Principal:
        known: Principal | None = request.scope.get("principal")
        principal = known if known is not None else await _known(request)
        if not self.scopes.isdisjoint(principal.scopes):
            return principal
        needed = sorted(self.scopes & SCOPES)  # what services have among themselves is nobody's to ask for
        raise Problem(
            403,
            "forbidden",
            "Not allowed",
            f"Needs one of the scopes: {', '.join(needed)}." if needed else "Is for the services themselves.",
            scopes_needed=needed,
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(needed)}"'},
        )

    async def before_body(self, request: Request) -> None:
        """Asked by StrictRoute before it reads the body."""
        await self(request)


def requires(*scopes: str) -> Requires:
    """`principal: Annotated[Principal, Depends(requires("agent", "supervisor"))]`: any one of `scopes` is enough.

    401 for a missing, malformed, unknown or revoked credential, 403 for one without the scope, 429 over the limit.
    The scope `service` is that of the other services' tokens. Reads `request.app.state.keyring`.
    """
    return Requires(frozenset(scopes))


async def _known(request: Request) -> Principal:
    ring: KeyRing = request.app.state.keyring
    header = header_of(request, b"authorization")
    principal: Principal | None
    if header is None:
        principal = session_of(request, ring)
        if principal is None:
            raise _unauthorized("A key is required.", "")
    else:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("The Authorization header must be: Bearer, a space, the key.", "invalid_request")
        principal = await ring.admit(token.strip())
        if principal is None:
            raise _unauthorized("The key is malformed, unknown, expired or revoked.", "invalid_token")
    request.scope["principal"] = principal
    return principal


def _unauthorized(detail: str, error: str) -> Problem:
    challenge = 'Bearer realm="complaint-loop"' + (f', error="{error}"' if error else "")
    return Problem(401, "unauthorized", "Not signed in", detail, headers={"WWW-Authenticate": challenge})


def principal_of(request: Request) -> Principal | None:
    """Who asks, once `requires` has let them in."""
    principal: Principal | None = request.scope.get("principal")
    return principal


def session_of(request: Request, ring: KeyRing) -> Principal | None:
    """The supervisor whose browser asks. Only for methods that change nothing: those that do need a key (CSRF)."""
    if request.method not in _SAFE_METHODS:
        return None
    token = request.cookies.get(SESSION_COOKIE)
    name = verify_session(ring.secret_key, token, ring.clock.now()) if token else None
    return Principal(f"session:{name}", name, frozenset({"supervisor"})) if name else None
