"""Signing requests with OAuth 1.0a (RFC 5849) through oauthlib, and reading token answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qsl, urlsplit

from cyclone.escape import to_unicode

from ._errors import ProviderError
from ._http import MAX_TOKEN

#: ``key`` and ``secret``, and what else the provider told with a token.
Token: TypeAlias = "Mapping[str, str | bytes]"
MAX_FIELDS = 100


def signature(
    method: str,
    url: str,
    parameters: Mapping[str, object],
    consumer: Token,
    token: Token | None = None,
) -> str:
    """The HMAC-SHA1 signature of a request (RFC 5849 sections 3.4.1 and 3.4.2).

    :param parameters: all of the query, of the form in the body, and of the protocol, except those
        that are in the query of *url*; a list or tuple stands for a parameter given many times.
    """
    from oauthlib.oauth1 import Client
    from oauthlib.oauth1.rfc5849 import signature as rfc5849

    pairs = [(name, _text(one)) for name, value in parameters.items() for one in _each(value)]
    pairs += parse_qsl(urlsplit(url).query, keep_blank_values=True)
    # oauthlib's type hints are narrower than what it takes.
    parameters_text = rfc5849.normalize_parameters(cast(Any, pairs))
    verb = cast(Any, method.upper())
    base = rfc5849.signature_base_string(verb, rfc5849.base_string_uri(url), parameters_text)
    client = Client(
        to_unicode(consumer["key"]),
        client_secret=to_unicode(consumer["secret"]),
        resource_owner_secret="" if token is None else to_unicode(token["secret"]),
    )
    made: str = rfc5849.sign_hmac_sha1_with_client(base, client)
    return made


def protocol_parameters(consumer: Token, token: Token | None = None) -> dict[str, str]:
    """The ``oauth_*`` parameters of a new request, without its signature (section 3.1)."""
    parameters = {
        "oauth_consumer_key": to_unicode(consumer["key"]),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        # 24 characters: servers may want between 20 and 30
        "oauth_nonce": secrets.token_hex(12),
        "oauth_version": "1.0",
    }
    if token is not None:
        parameters["oauth_token"] = to_unicode(token["key"])
    return parameters


def parse_token(body: bytes) -> dict[str, str]:
    """The token of a form-encoded answer: ``key``, ``secret`` and what else it holds.

    :raises ProviderError: when there is none in it, or it is absurdly big.
    """
    problem = ProviderError("the provider gave no usable OAuth token", code=200)
    if len(body) > MAX_TOKEN:
        raise problem
    try:
        pairs = parse_qsl(body.decode("utf-8").strip(), max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise problem from error
    values = dict(reversed(pairs))
    try:
        token = {"key": values.pop("oauth_token"), "secret": values.pop("oauth_token_secret")}
    except KeyError as error:
        raise problem from error
    # What the provider adds cannot take the place of the token itself.
    return {**dict(reversed(values.items())), **token}


def _each(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _text(value: object) -> str:
    return to_unicode(value) if isinstance(value, bytes) else str(value)
