"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0). No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from ._errors import ProviderError
from ._http import JSON

#: Characters of an address, and entries of a list, in a provider's metadata.
MAX_URL = 2048
MAX_LIST = 100


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The parts of ``.well-known/openid-configuration`` that logins need."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    algorithms: tuple[str, ...] = ()
    auth_methods: tuple[str, ...] = ("client_secret_basic",)
    sends_issuer: bool = False


def configuration_url(issuer: str) -> str:
    """Where the metadata of *issuer* is.

    :raises ValueError: for an issuer that is no https address (or http on this very machine).
    """
    if not is_trustworthy(issuer) or "?" in issuer or "#" in issuer:
        raise ValueError("an issuer is an https address without query (http on localhost only)")
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def parse_metadata(issuer: str, values: Mapping[str, JSON]) -> ProviderMetadata:
    """Check and pick what came from `configuration_url`.

    :raises ProviderError: when it is of another issuer, lacks something, or has an endpoint that is
        not encrypted.
    """
    # Compared as it is, character by character (Discovery section 4.3)
    if values.get("issuer") != issuer:
        raise ProviderError("the provider's configuration names another issuer", code=200)

    def address(name: str) -> str:
        value = values.get(name)
        if not isinstance(value, str) or len(value) > MAX_URL or not is_trustworthy(value):
            raise ProviderError(f"the provider's configuration has no usable {name}", code=200)
        return value

    def optional(name: str) -> str | None:
        return None if values.get(name) is None else address(name)

    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=address("authorization_endpoint"),
        token_endpoint=address("token_endpoint"),
        jwks_uri=address("jwks_uri"),
        userinfo_endpoint=optional("userinfo_endpoint"),
        end_session_endpoint=optional("end_session_endpoint"),
        algorithms=_strings(values.get("id_token_signing_alg_values_supported")),
        auth_methods=_strings(values.get("token_endpoint_auth_methods_supported"))
        or ("client_secret_basic",),
        sends_issuer=values.get("authorization_response_iss_parameter_supported") is True,
    )


def is_trustworthy(url: str) -> bool:
    """Whether what goes to *url* stays secret: https, or http to a loopback address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _strings(value: JSON) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(one for one in value[:MAX_LIST] if isinstance(one, str))
