"""One login under way: what is sent to the provider, kept by the browser, compared on return.

RFC 9700 section 2.1 and RFC 7636. Plain values; the cookie they travel in is `_pending`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field

#: The most bytes an encoded transaction may have; a cookie holds 4096.
MAX_ENCODED = 2048


@dataclass(frozen=True, slots=True)
class Transaction:
    """The secrets of one login: ``state``, PKCE's verifier, the ``nonce`` of an ID token."""

    state: str = field(repr=False)
    verifier: str | None = field(repr=False)
    nonce: str | None = field(repr=False)
    provider: str
    redirect_uri: str | None = None

    @property
    def challenge(self) -> str:
        """The PKCE challenge, method S256.

        :raises ValueError: when the transaction has no verifier.
        """
        if self.verifier is None:
            raise ValueError("this login does not use PKCE")
        return s256(self.verifier)

    def encode(self) -> str:
        """As text, to be signed.

        :raises ValueError: when it would not fit a cookie.
        """
        text = json.dumps(asdict(self), separators=(",", ":"))
        if len(text) > MAX_ENCODED:
            raise ValueError("the addresses of this login are too long to keep in a cookie")
        return text


def begin(
    provider: str, redirect_uri: str | None = None, *, pkce: bool = True, nonce: bool = False
) -> Transaction:
    """A new transaction with 256-bit secrets."""
    return Transaction(
        state=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48) if pkce else None,
        nonce=secrets.token_urlsafe(32) if nonce else None,
        provider=provider,
        redirect_uri=redirect_uri,
    )


def decode(text: str | bytes) -> Transaction | None:
    """What `Transaction.encode` made, or ``None`` for anything else."""
    if len(text) > MAX_ENCODED:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    names = ("state", "verifier", "nonce", "provider", "redirect_uri")
    if not isinstance(values, dict) or set(values) != set(names):
        return None
    required = isinstance(values["state"], str) and isinstance(values["provider"], str)
    if not required or not all(
        value is None or isinstance(value, str) for value in values.values()
    ):
        return None
    return Transaction(**values)


def s256(verifier: str) -> str:
    """RFC 7636 section 4.2: BASE64URL(SHA256(ASCII(code_verifier))) without padding."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
