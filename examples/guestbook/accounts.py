"""Names and passwords."""

import hashlib
import hmac
import os

from store import MAX_AUTHOR, User
from twisted.internet.threads import deferToThread

MIN_PASSWORD = 8
MAX_PASSWORD = 200

# Checked when there is no such user, so that the answer takes as long as for one that exists.
_NOBODY = f"{os.urandom(16).hex()}:{os.urandom(64).hex()}"


class AccountError(ValueError):
    """A name or password that will not do; the text is meant for the person who gave it."""


async def register(store, name: str, password: str) -> User:
    """Make an account; AccountError says what is wrong, NameTakenError that the name is taken."""
    name = name.strip()
    if not name or len(name) > MAX_AUTHOR or not name.isprintable():
        raise AccountError("Please give a name of at most 60 characters.")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise AccountError("A password has 8 to 200 characters.")
    # scrypt takes some 50 ms, which the reactor has not got.
    hashed = await deferToThread(_hash, password, os.urandom(16))
    return await store.add_user(name, hashed)


async def log_in(store, name: str, password: str) -> User | None:
    """The user of this name, if the password is right."""
    found = await store.user_and_password(name.strip())
    user, hashed = found or (None, _NOBODY)
    right = await deferToThread(_is_right, password[:MAX_PASSWORD], hashed)
    return user if right else None


def _hash(password: str, salt: bytes) -> str:
    key = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return f"{salt.hex()}:{key.hex()}"


def _is_right(password: str, hashed: str) -> bool:
    salt = bytes.fromhex(hashed.partition(":")[0])
    return hmac.compare_digest(_hash(password, salt), hashed)
