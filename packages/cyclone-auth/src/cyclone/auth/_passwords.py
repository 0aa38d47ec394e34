"""Passwords of local accounts: Argon2id by way of argon2-cffi (the extra ``argon2``)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

if TYPE_CHECKING:
    from argon2 import PasswordHasher

#: Bytes of a password; more is refused, so that nobody makes us hash megabytes.
MAX_PASSWORD = 4096
MAX_HASH = 1024


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
    except ImportError as error:
        raise ImportError(
            "password hashing needs argon2-cffi: pip install 'cyclone-auth[argon2]'"
        ) from error
    return PasswordHasher()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """The hash of a password that nobody has, to spend the time of a check on."""
    import secrets

    return _hasher().hash(secrets.token_hex(32))


def hash_password(password: str) -> str:
    """The hash to store, with its parameters and salt; made to take some 30 ms and 64 MiB.

    :raises ValueError: for an empty password, or one over 4096 bytes of UTF-8.
    :raises ImportError: without argon2-cffi.
    """
    data = password.encode("utf-8", "surrogatepass")
    if not 0 < len(data) <= MAX_PASSWORD:
        raise ValueError(f"a password has between 1 and {MAX_PASSWORD} bytes")
    return _hasher().hash(data)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether *password* is the one that was hashed.

    Give None for a user who does not exist: it takes as long and is False, so that nobody learns
    from the time which names exist.

    :raises ImportError: without argon2-cffi.
    """
    hasher = _hasher()
    from argon2.exceptions import Argon2Error, InvalidHashError

    data = password.encode("utf-8", "surrogatepass")
    usable = 0 < len(data) <= MAX_PASSWORD
    known = password_hash if password_hash and len(password_hash) <= MAX_HASH else None
    stored = _nobodys_hash() if known is None else known
    try:
        hasher.verify(stored, data if usable else b"?")
    except (Argon2Error, InvalidHashError, ValueError):
        return False
    return usable and known is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash is of weaker parameters than `hash_password` uses now.

    Ask after a successful `verify_password`, while the password is at hand.
    """
    return _hasher().check_needs_rehash(password_hash)


def hash_password_async(password: str) -> Deferred[str]:
    """`hash_password` in a thread of the reactor, which goes on with other requests meanwhile."""
    return deferToThread(hash_password, password)


def verify_password_async(password_hash: str | None, password: str) -> Deferred[bool]:
    """`verify_password` in a thread of the reactor."""
    return deferToThread(verify_password, password_hash, password)
