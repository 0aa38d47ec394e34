"""The browser's half of a login under way: one signed cookie for each, spent on return.

The cookie binds the login to the browser that began it (RFC 9700 section 4.7); it is ``HttpOnly``,
``SameSite=Lax``, and over https ``Secure`` under a ``__Host-`` name, which no other host of the
domain can plant.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ._errors import AuthError
from ._replay import OnceOnly
from ._transaction import Transaction, decode

if TYPE_CHECKING:
    from cyclone.web import Application, RequestHandler

#: Seconds a user has to log in at the provider.
LIFETIME = 600
#: Logins under way in one browser (tabs); an older one is forgotten.
MAX_PENDING = 5
_PREFIX = "cyclone_login_"
_SECURE_PREFIX = "__Host-" + _PREFIX
MAX_STATE = 512
MAX_CLEARED = 50

_HASH = re.compile("[0-9a-f]{16}").fullmatch

_spent: WeakKeyDictionary[Application, OnceOnly] = WeakKeyDictionary()


def keep(handler: RequestHandler, transaction: Transaction, *, posted: bool = False) -> None:
    """Set the cookie of *transaction*, and drop those of the oldest logins beyond `MAX_PENDING`.

    *posted* is for a protocol that may come back by a POST from the provider's page: browsers send
    ``SameSite=Lax`` cookies along with links and redirects only.
    """
    secure = _is_secure(handler, transaction.redirect_uri)
    samesite = "None" if posted and secure else "Lax"
    prefix = _SECURE_PREFIX if secure else _PREFIX
    # Only names that we give: the client may send others, which cannot even be cleared.
    others = [name for name in handler.cookies if _is_ours(name, prefix)][:MAX_CLEARED]
    for old in others[: max(0, len(others) - MAX_PENDING + 1)]:
        handler.clear_cookie(old, httponly=True, samesite="Lax", secure=secure)
    handler.set_secure_cookie(
        _name(prefix, transaction.state),
        transaction.encode(),
        expires_days=None,
        max_age=LIFETIME,
        httponly=True,
        samesite=samesite,
        secure=secure,
    )


def spend(
    handler: RequestHandler, state: str | None, provider: str, redirect_uri: str | None
) -> Transaction:
    """Check the *state* that came back, and use up its login.

    :raises AuthError: when it is missing, unknown in this browser, spent, too old, or made for
        another provider or address.
    """
    if not state or len(state) > MAX_STATE:
        raise AuthError("the answer of the provider carries no usable state")
    secure = _is_secure(handler, redirect_uri)
    name = _name(_SECURE_PREFIX if secure else _PREFIX, state)
    signed = handler.get_secure_cookie(name, max_age_days=LIFETIME / 86400, min_version=2)
    if signed is None:
        raise AuthError("the state does not belong to a login begun in this browser")
    handler.clear_cookie(name, httponly=True, samesite="Lax", secure=secure)
    transaction = decode(signed)
    if transaction is None or not hmac.compare_digest(
        transaction.state.encode(), state.encode("utf-8", "replace")
    ):
        raise AuthError("the state does not belong to a login begun in this browser")
    if not _once_only(handler.application).spend(transaction.state):
        raise AuthError("this login was already completed")
    if transaction.provider != provider:
        raise AuthError("the login was begun with another provider")
    if transaction.redirect_uri != redirect_uri:
        raise AuthError("the login was begun for another redirect_uri")
    return transaction


def _is_ours(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and _HASH(name[len(prefix) :]) is not None


def _name(prefix: str, state: str) -> str:
    # A hash, because what came back is not fit for the name of a cookie, and is secret.
    return prefix + sha256(state.encode("utf-8", "replace")).hexdigest()[:16]


def _once_only(application: Application) -> OnceOnly:
    if application not in _spent:
        _spent[application] = OnceOnly(LIFETIME)
    return _spent[application]


def _is_secure(handler: RequestHandler, redirect_uri: str | None) -> bool:
    """Whether the browser talks TLS, maybe to a proxy: the public address knows best."""
    if redirect_uri is not None and ":" in redirect_uri:
        return redirect_uri.lower().startswith("https:")
    protocol: str = handler.request.protocol
    return protocol == "https"
