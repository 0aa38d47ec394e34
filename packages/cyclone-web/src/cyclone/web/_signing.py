"""Signed, timestamped values: what a signed cookie holds. Plain functions, no I/O.

Two formats exist. Version 1 (Cyclone 1.x, early Tornado) is an HMAC-SHA1 over undelimited parts::

    base64(value) "|" timestamp "|" hex signature

Version 2 (Tornado 3.2 and later) is an HMAC-SHA256 over everything before it, each field led by its
length, so that no byte can move from one field to the next::

    "2|" key version "|" timestamp "|" name "|" base64(value) "|" hex signature

Both are compatible with Tornado's in both directions. Version 2 is what is written.
"""

from __future__ import annotations

import binascii
import functools
import hashlib
import hmac
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from cyclone.escape import utf8

#: A secret, or several by key version (key rotation).
CookieSecret = str | bytes | Mapping[int, str | bytes]

MIN_SUPPORTED_SIGNED_VALUE_VERSION = 1
MAX_SUPPORTED_SIGNED_VALUE_VERSION = 2
DEFAULT_SIGNED_VALUE_VERSION = 2
DEFAULT_SIGNED_VALUE_MIN_VERSION = 1

#: A secret shorter than this many bytes is weaker than the signature (RFC 2104 section 3).
RECOMMENDED_SECRET_BYTES = 32

_DAY = 86400
# How far ahead of us another server's clock may be. Version 1 does not delimit its parts, so digits
# of the value can be moved into the timestamp; that makes it enormous, and this bound sees it.
_MAX_FUTURE = 31 * _DAY

_general_log = logging.getLogger("cyclone.general")

# Version 1 has no version field and starts with base64, whose length is a multiple of four: a
# number of one to three digits before the first bar can only be a format version.
_version = re.compile(rb"([1-9][0-9]{0,2})\|")
# What is nearly always there, for a quick look: the lengths have to agree with what it finds.
_usual_fields = re.compile(
    rb"2\|([0-9]{1,2}):([0-9]{1,15})\|([0-9]{1,2}):([0-9]{1,15})"
    rb"\|([0-9]{1,3}):([^|]*)\|([0-9]{1,4}):([^|]*)\|"
).match
# The digits of a number that is worth reading; int() takes time that grows with the square.
_MAX_DIGITS = 15


class _Fields(NamedTuple):
    key_version: int
    timestamp: bytes
    name: bytes
    value: bytes
    signed: bytes
    signature: bytes


def create_signed_value(
    secret: CookieSecret,
    name: str,
    value: str | bytes,
    version: int | None = None,
    clock: Callable[[], float] | None = None,
    key_version: int | None = None,
) -> bytes:
    """Sign and timestamp *value* under *name*, so that only who has the secret can make it.

    The value is not encrypted: whoever holds the result can read it.

    :param secret: the key, or a mapping of key versions to keys; then *key_version* says which
        signs.
    :param version: the format. Leave it out for version 2. ``1`` is for one purpose: a cluster in
        which servers that only know version 1 still run; it takes no key versions.
    :param clock: gives the time in seconds since the epoch (default :func:`time.time`).
    :raises ValueError: an unknown format, an empty secret or an unknown key version.
    """
    if version is None:
        version = DEFAULT_SIGNED_VALUE_VERSION
    if not isinstance(value, str | bytes):
        raise TypeError(
            f"what is signed as {name!r} is a str or bytes, not {type(value).__name__}: "
            "json_encode() makes one of anything else"
        )
    timestamp = b"%d" % int((clock or time.time)())
    encoded = binascii.b2a_base64(utf8(value), newline=False)
    if version == 2:
        key = _signing_key(secret, key_version)
        name_bytes = utf8(name)
        key_field = b"%d" % (key_version or 0)
        signed = b"2|%d:%b|%d:%b|%d:%b|%d:%b|" % (
            *(len(key_field), key_field, len(timestamp), timestamp),
            *(len(name_bytes), name_bytes, len(encoded), encoded),
        )
        return signed + _create_signature_v2(key, signed)
    if version == 1:
        if isinstance(secret, Mapping):
            raise ValueError("signed values of version 1 cannot name a key version")
        signature = _create_signature_v1(_signing_key(secret, None), name, encoded, timestamp)
        return b"|".join((encoded, timestamp, signature))
    raise ValueError(f"unsupported signed value version {version!r}")


def decode_signed_value(
    secret: CookieSecret,
    name: str,
    value: str | bytes | None,
    max_age_days: float = 31,
    clock: Callable[[], float] | None = None,
    min_version: int | None = None,
) -> bytes | None:
    """Return what was signed, or ``None`` if *value* is not to be believed.

    ``None`` is for all that a client can send: a wrong signature, another cookie's name, a
    malformed value, an unknown key version, an age over *max_age_days* (or one that lies more than
    31 days ahead).

    :param min_version: the oldest format accepted, ``1`` unless given. ``2`` refuses version 1.
    :raises ValueError: *min_version* is not a known version or the secret is empty.
    """
    if min_version is None:
        min_version = DEFAULT_SIGNED_VALUE_MIN_VERSION
    if min_version > MAX_SUPPORTED_SIGNED_VALUE_VERSION:
        raise ValueError(f"unsupported min_version {min_version!r}")
    if not value:
        return None
    raw = _to_bytes(value)
    version = _format_version(raw)
    if version < min_version:
        return None
    now = (clock or time.time)()
    if version == 2:
        return _decode_v2(secret, name, raw, max_age_days, now)
    if version == 1:
        return _decode_v1(secret, name, raw, max_age_days, now)
    return None


def get_signature_key_version(value: str | bytes) -> int | None:
    """Return the key version that *value* says it was signed with, or ``None`` if it names none.

    The signature is not checked.
    """
    raw = _to_bytes(value)
    fields = _split_v2(raw) if _format_version(raw) == 2 else None
    return None if fields is None else fields.key_version


def warn_about_weak_secret(secret: CookieSecret) -> bool:
    """Log one warning if a key of *secret* is short; return whether it did."""
    keys = secret.values() if isinstance(secret, Mapping) else [secret]
    shortest = min((len(utf8(key)) for key in keys if key), default=RECOMMENDED_SECRET_BYTES)
    if shortest >= RECOMMENDED_SECRET_BYTES:
        return False
    _general_log.warning(
        "cookie_secret has only %d bytes; use %d random bytes, such as secrets.token_hex() gives",
        shortest,
        RECOMMENDED_SECRET_BYTES,
    )
    return True


def _signing_key(secret: CookieSecret, key_version: int | None) -> bytes:
    if not isinstance(secret, str | bytes):
        if key_version is None:
            raise ValueError("a secret with key versions needs key_version to sign")
        try:
            secret = secret[key_version]
        except KeyError:
            raise ValueError(f"the secret has no key version {key_version!r}") from None
    if not secret:
        # An empty key would let anyone sign.
        raise ValueError("the secret that signs values is empty")
    return utf8(secret)


def _decode_v2(
    secret: CookieSecret, name: str, raw: bytes, max_age_days: float, now: float
) -> bytes | None:
    fields = _split_v2(raw)
    if fields is None:
        return None
    # Not isinstance(secret, Mapping): an abstract class costs as much as the signature.
    if not isinstance(secret, str | bytes) and fields.key_version not in secret:
        return None
    expected = _create_signature_v2(_signing_key(secret, fields.key_version), fields.signed)
    if not hmac.compare_digest(fields.signature, expected):
        return None
    # The name is signed too: comparing it tells the client nothing it could not read.
    if fields.name != utf8(name) or not _in_time(fields.timestamp, max_age_days, now):
        return None
    return _from_base64(fields.value)


def _decode_v1(
    secret: CookieSecret, name: str, raw: bytes, max_age_days: float, now: float
) -> bytes | None:
    parts = raw.split(b"|", 3)
    # A version 1 value does not say which key of several signed it.
    if len(parts) != 3 or isinstance(secret, Mapping):
        return None
    encoded, timestamp, signature = parts
    expected = _create_signature_v1(_signing_key(secret, None), name, encoded, timestamp)
    if not hmac.compare_digest(signature, expected):
        _general_log.warning("Invalid cookie signature of %r", name)
        return None
    # A leading zero hides digits that were moved out of the value.
    if timestamp.startswith(b"0"):
        _general_log.warning("Tampered cookie %r", name)
        return None
    if timestamp.isdigit() and int(timestamp[: _MAX_DIGITS + 1]) > now + _MAX_FUTURE:
        _general_log.warning("Cookie timestamp in future; possible tampering of %r", name)
        return None
    if len(encoded) % 4:
        # Base64 comes in fours: some of it went into the name. Python's decoder lets it pass.
        _general_log.warning("Tampered cookie %r", name)
        return None
    return _from_base64(encoded) if _in_time(timestamp, max_age_days, now) else None


def _in_time(timestamp: bytes, max_age_days: float, now: float) -> bool:
    # Plain digits only: int() would also take signs, spaces and underscores.
    if not timestamp.isdigit() or len(timestamp) > _MAX_DIGITS:
        return False
    # Written so that a max_age_days of NaN accepts nothing.
    return now - max_age_days * _DAY <= int(timestamp) <= now + _MAX_FUTURE


def _format_version(raw: bytes) -> int:
    match = _version.match(raw)
    return 1 if match is None else int(match[1])


def _split_v2(raw: bytes) -> _Fields | None:
    match = _usual_fields(raw)
    if match is not None:
        size_1, key_version, size_2, timestamp, size_3, name, size_4, value = match.groups()
        if (
            int(size_1) == len(key_version)
            and int(size_2) == len(timestamp)
            and int(size_3) == len(name)
            and int(size_4) == len(value)
        ):
            end = match.end()
            return _Fields(int(key_version), timestamp, name, value, raw[:end], raw[end:])
    position = 2  # behind "2|"
    fields = []
    for _ in range(4):
        colon = raw.find(b":", position, position + _MAX_DIGITS)
        length = raw[position:colon]
        if colon < 0 or not length.isdigit():
            return None
        end = colon + 1 + int(length)
        if raw[end : end + 1] != b"|":
            return None
        fields.append(raw[colon + 1 : end])
        position = end + 1
    key_version, timestamp, name, value = fields
    if not key_version.isdigit() or len(key_version) > _MAX_DIGITS:
        return None
    return _Fields(int(key_version), timestamp, name, value, raw[:position], raw[position:])


def _create_signature_v1(secret: str | bytes, *parts: str | bytes) -> bytes:
    digest = hmac.new(utf8(secret), digestmod=hashlib.sha1)
    for part in parts:
        digest.update(utf8(part))
    return digest.hexdigest().encode("ascii")


def _create_signature_v2(secret: str | bytes, signed: bytes) -> bytes:
    digest = _keyed_hash(secret if type(secret) is bytes else utf8(secret)).copy()
    digest.update(signed)
    return digest.hexdigest().encode("ascii")


# Half of a short signature's time goes into hashing the key, which does not change.
@functools.lru_cache(maxsize=32)
def _keyed_hash(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)


def _from_base64(encoded: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except binascii.Error:
        return None


def _to_bytes(value: str | bytes) -> bytes:
    # What a client sent may hold lone surrogates; such a value fails its signature, not us.
    return value if isinstance(value, bytes) else value.encode("utf-8", "replace")
