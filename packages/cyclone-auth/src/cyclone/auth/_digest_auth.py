"""HTTP Digest authentication of a handler's users."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred

from cyclone.web import HTTPAuthenticationRequired

from ._base import AuthMixin
from ._decorators import after_login
from ._digest import NonceBook, digest_ha1, matches, parse_digest
from ._results import run, waiting

if TYPE_CHECKING:
    from cyclone.web import Application

_books: WeakKeyDictionary[Application, NonceBook] = WeakKeyDictionary()


class HA1(str):
    """A stored `digest_ha1` value, where a password would be expected otherwise."""

    __slots__ = ()


#: Gives the password of a user (text, `HA1`, a mapping with ``auth_password``) or None; or an
#: awaitable of it.
FindPassword: TypeAlias = Callable[[str], object]
_P = ParamSpec("_P")
_H = TypeVar("_H", bound="DigestAuthMixin")


class DigestAuthMixin(AuthMixin):
    """Ask for a user name and password with HTTP Digest, so that the password is not sent.

    Each nonce is good for five minutes and each of its counts once. The setting ``cookie_secret``,
    where there is one, makes nonces of one server process good for the others.
    """

    #: ``SHA-256``, ``SHA-512-256``, or ``MD5`` for clients that know nothing newer.
    digest_algorithm: str = "SHA-256"

    def get_authenticated_user(
        self, find: FindPassword, realm: str = "Restricted Access"
    ) -> Deferred[str]:
        """The name of the user, once the answer that came along fits the password of *find*.

        :param find: called with the user name; gives the password, an `HA1`, or None.
        :raises HTTPAuthenticationRequired: (401 with a new nonce) for anything else.
        """
        return run(self._digest_user(find, realm))

    async def _digest_user(self, find: FindPassword, realm: str) -> str:
        handler = self._handler
        request = handler.request
        book = self._book()
        answer = parse_digest(request.headers.get("Authorization", ""))
        if (
            answer is None
            or answer.realm != realm
            or answer.algorithm != self.digest_algorithm
            or answer.uri != request.uri
            or not book.is_ours(answer.nonce, realm)
        ):
            raise self._challenge(book, realm)
        found = await waiting(find(answer.username))
        ha1 = _ha1(found, answer.username, realm, self.digest_algorithm)
        if not matches(answer, request.method, ha1, self.digest_algorithm):
            raise self._challenge(book, realm)
        fresh = book.is_fresh(answer.nonce, realm)
        if not fresh or not book.spend(answer.nonce, answer.count):
            raise self._challenge(book, realm, stale=True)
        return answer.username

    def _challenge(
        self, book: NonceBook, realm: str, stale: bool = False
    ) -> HTTPAuthenticationRequired:
        more = {"stale": "true"} if stale else {}
        return HTTPAuthenticationRequired(
            auth_type="Digest",
            realm=realm,
            nonce=book.make(realm),
            qop="auth",
            algorithm=self.digest_algorithm,
            charset="UTF-8",
            **more,
        )

    def _book(self) -> NonceBook:
        application = self._handler.application
        if application not in _books:
            secret = application.settings.get("cookie_secret")
            if isinstance(secret, Mapping):
                secret = secret[application.settings.get("key_version", max(secret))]
            _books[application] = NonceBook(secret or secrets.token_bytes(32))
        return _books[application]


def digest_auth(
    realm: str, find: FindPassword
) -> Callable[
    [Callable[Concatenate[_H, _P], object]],
    Callable[Concatenate[_H, _P], Coroutine[Any, Any, None]],
]:
    """Decorate a method of a handler with `DigestAuthMixin`: it runs for users *find* knows.

    ``self.current_user`` is the user's name.
    """

    def authenticate(handler: _H) -> Deferred[str]:
        return handler.get_authenticated_user(find, realm)

    return lambda method: after_login(authenticate, method)


def _ha1(found: object, username: str, realm: str, algorithm: str) -> str | None:
    if isinstance(found, Mapping):
        found = found.get("auth_password")
    if isinstance(found, HA1):
        return str(found).lower()
    return digest_ha1(username, realm, found, algorithm) if isinstance(found, str) else None
