"""TLS for https: verified against the platform's roots unless told otherwise (CL-13).

pyOpenSSL and service_identity are an extra (``cyclone-httpclient[ssl]``) and are imported when the
first https URL is fetched.
"""

from __future__ import annotations

import re
import ssl
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
)
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from ._route import FrozenOptions, TLSSpec

if TYPE_CHECKING:
    from OpenSSL.SSL import Connection, Context
    from twisted.protocols.tls import TLSMemoryBIOProtocol

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)
_MAPPING_KEYS = frozenset(("ca_certs", "cert_reqs", "certfile", "check_hostname", "keyfile"))


class _Plan(NamedTuple):
    """The TLS options of a request, whichever way they were given."""

    hostname: str
    verify: bool
    check_hostname: bool
    roots: tuple[bytes, ...]
    certificate: str | None
    key: str | None


@lru_cache(maxsize=128)
def connection_creator(spec: TLSSpec, port: int) -> IOpenSSLClientConnectionCreator:
    """What makes the TLS connections of a route; contexts are kept for 128 routes.

    :raises RuntimeError: when the ``ssl`` extra is not installed.
    :raises ValueError: for options that cannot be used; :exc:`OSError` for a missing file.
    """
    try:
        from OpenSSL.SSL import VERIFY_NONE, Context
        from twisted.internet import ssl as _twisted_ssl  # noqa: F401  # proves that it can
    except ImportError as error:
        raise RuntimeError(
            "https needs pyOpenSSL and service_identity: pip install cyclone-httpclient[ssl]"
        ) from error
    options = spec.ssl_options
    if IOpenSSLClientConnectionCreator.providedBy(options):
        return options
    if IPolicyForHTTPS.providedBy(options):
        host = spec.server_hostname.encode("ascii")
        return options.creatorForNetloc(host, port)
    if isinstance(options, Context):
        checks = options.get_verify_mode() != VERIFY_NONE
        return _Creator(options, spec.server_hostname, checks)
    if IOpenSSLContextFactory.providedBy(options):
        context = options.getContext()
        return _Creator(context, spec.server_hostname, context.get_verify_mode() != VERIFY_NONE)
    return _create(_plan(spec))


def _plan(spec: TLSSpec) -> _Plan:
    options = spec.ssl_options
    if isinstance(options, FrozenOptions):
        return _plan_of_mapping(spec, dict(options.items))
    if isinstance(options, ssl.SSLContext):
        # Its client certificate cannot be read back: client_cert and client_key give one.
        return _Plan(
            spec.server_hostname,
            options.verify_mode != ssl.CERT_NONE,
            options.check_hostname,
            tuple(options.get_ca_certs(binary_form=True)),
            spec.client_cert,
            spec.client_key,
        )
    if options is not None:
        raise ValueError(f"ssl_options cannot be a {type(options).__name__}")
    return _Plan(
        spec.server_hostname,
        spec.validate_cert,
        spec.validate_cert,
        _read_roots(spec.ca_certs),
        spec.client_cert,
        spec.client_key,
    )


def _plan_of_mapping(spec: TLSSpec, options: dict[str, object]) -> _Plan:
    unknown = options.keys() - _MAPPING_KEYS
    if unknown:
        raise ValueError(f"unknown ssl_options: {', '.join(sorted(unknown))}")
    verify = options.get("cert_reqs", ssl.CERT_REQUIRED) != ssl.CERT_NONE
    roots = cast("str | None", options.get("ca_certs")) or spec.ca_certs
    return _Plan(
        spec.server_hostname,
        verify,
        verify and bool(options.get("check_hostname", True)),
        _read_roots(roots),
        cast("str | None", options.get("certfile")) or spec.client_cert,
        cast("str | None", options.get("keyfile")) or spec.client_key,
    )


def _read_roots(path: str | None) -> tuple[bytes, ...]:
    if path is None:
        return ()
    roots = tuple(_CERTIFICATE.findall(Path(path).read_bytes()))
    if not roots:
        raise ValueError("the file of ca_certs holds no PEM certificate")
    return roots


def _create(plan: _Plan) -> IOpenSSLClientConnectionCreator:
    from twisted.internet.ssl import (
        Certificate,
        CertificateOptions,
        optionsForClientTLS,
        platformTrust,
        trustRootFromCertificates,
    )

    # No ALPN: without it a server speaks HTTP/1.1, and Twisted 26.10's own TLS servers fail on it.
    extra = _client_certificate(plan)
    if not plan.verify:
        options = CertificateOptions(verify=False, **extra)
        return _Creator(options.getContext(), plan.hostname, False)
    if plan.roots:
        trust = trustRootFromCertificates(  # type: ignore[no-untyped-call]
            [Certificate.load(*_form(one)) for one in plan.roots]
        )
    else:
        trust = platformTrust()  # type: ignore[no-untyped-call]
    if not plan.check_hostname:
        options = CertificateOptions(trustRoot=trust, **extra)
        return _Creator(options.getContext(), plan.hostname, False)
    return optionsForClientTLS(
        plan.hostname,
        trustRoot=trust,
        extraCertificateOptions=extra,
    )


def _form(certificate: bytes) -> tuple[bytes, int]:
    from OpenSSL.crypto import FILETYPE_ASN1, FILETYPE_PEM

    return certificate, FILETYPE_PEM if certificate.startswith(b"-----") else FILETYPE_ASN1


def _client_certificate(plan: _Plan) -> dict[str, Any]:
    if plan.certificate is None:
        if plan.key is not None:
            raise ValueError("client_key needs client_cert")
        return {}
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    pem = Path(plan.certificate).read_bytes()
    chain = [load_pem_x509_certificate(one) for one in _CERTIFICATE.findall(pem)]
    if not chain:
        raise ValueError("the file of client_cert holds no PEM certificate")
    key = Path(plan.key).read_bytes() if plan.key else pem
    return {
        "privateKey": load_pem_private_key(key, None),
        "certificate": chain[0],
        "extraCertChain": chain[1:],
    }


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    """Connections of a ready context: with the server's name sent, and checked if asked for."""

    def __init__(self, context: Context, hostname: str, check: bool) -> None:
        self._context = context
        self._hostname = hostname
        self._check = check

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:
        """Make one connection."""
        from OpenSSL.SSL import Connection

        connection = Connection(self._context, None)
        connection.set_app_data(tlsProtocol)
        address = _is_address(self._hostname)
        if not address:
            connection.set_tlsext_host_name(self._hostname.encode("ascii"))
        connection.set_connect_state()
        if self._check:
            _bind_hostname(connection, self._hostname, address)
        return connection


def _is_address(hostname: str) -> bool:
    try:
        ip_address(hostname)
    except ValueError:
        return False
    return True


def _bind_hostname(connection: Connection, hostname: str, address: bool) -> None:
    """Compare the certificate with the name, though the context is the caller's own."""
    from OpenSSL.crypto import X509
    from OpenSSL.SSL import VERIFY_FAIL_IF_NO_PEER_CERT, VERIFY_PEER
    from service_identity import VerificationError
    from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
    from service_identity.pyopenssl import extract_patterns

    wanted = IPAddress_ID(ip_address(hostname)) if address else DNS_ID(hostname)

    def verify(_: Connection, certificate: X509, error: int, depth: int, fine: int) -> bool:
        if depth or not fine:
            return bool(fine)
        try:
            verify_service_identity(extract_patterns(certificate), [wanted], [])
        except VerificationError:
            return False
        return True

    connection.set_verify(VERIFY_PEER | VERIFY_FAIL_IF_NO_PEER_CERT, verify)
