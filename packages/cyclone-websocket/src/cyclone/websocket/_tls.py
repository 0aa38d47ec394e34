"""TLS for ``wss`` URLs: verified against the platform's roots unless told otherwise.

pyOpenSSL and service_identity are an extra (``cyclone-websocket[ssl]``), imported when the first
``wss`` URL is connected to.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLContextFactory,
)
from zope.interface import implementer

if TYPE_CHECKING:
    from OpenSSL.SSL import Connection, Context
    from twisted.protocols.tls import TLSMemoryBIOProtocol

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    """TLS connections of a given context, without a check of the name."""

    def __init__(self, context: Context, hostname: str) -> None:
        self._context = context
        self._hostname = hostname

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:
        """Twisted: make the connection of one protocol."""
        from OpenSSL.SSL import Connection

        connection = Connection(self._context, None)
        if not _is_address(self._hostname):
            connection.set_tlsext_host_name(self._hostname.encode("ascii"))
        return connection


def connection_creator(hostname: str, request: Any) -> IOpenSSLClientConnectionCreator:
    """What makes the TLS connection to ``hostname`` as the request's options ask for.

    ``ssl_options`` may be what Twisted calls an ``IOpenSSLClientConnectionCreator`` or a context
    factory; else ``validate_cert``, ``ca_certs``, ``client_cert`` and ``client_key`` (names of PEM
    files) count. RuntimeError without the ``ssl`` extra, ValueError for bad options.
    """
    try:
        from OpenSSL import SSL
        from twisted.internet import ssl
    except ImportError as error:
        raise RuntimeError(
            "wss needs pyOpenSSL and service_identity: pip install cyclone-websocket[ssl]"
        ) from error
    options = getattr(request, "ssl_options", None)
    if IOpenSSLClientConnectionCreator.providedBy(options):
        return options
    if isinstance(options, SSL.Context):
        return _Creator(options, hostname)
    if IOpenSSLContextFactory.providedBy(options):
        return _Creator(options.getContext(), hostname)
    if options is not None:
        raise ValueError(f"ssl_options cannot be a {type(options).__name__}")
    certificate = _client_certificate(request)
    if getattr(request, "validate_cert", None) is False:
        plain = ssl.CertificateOptions(
            privateKey=certificate and certificate.privateKey.original,
            certificate=certificate and certificate.original,
        )
        return _Creator(plain.getContext(), hostname)
    creator: IOpenSSLClientConnectionCreator = ssl.optionsForClientTLS(
        hostname, trustRoot=_trust_root(request), clientCertificate=certificate
    )
    return creator


def _client_certificate(request: Any) -> Any:
    from twisted.internet import ssl

    certificate = getattr(request, "client_cert", None)
    if certificate is None:
        return None
    pem = Path(certificate).read_bytes()
    key = getattr(request, "client_key", None)
    if key is not None:
        pem += b"\n" + Path(key).read_bytes()
    return ssl.PrivateCertificate.loadPEM(pem)  # type: ignore[no-untyped-call]


def _trust_root(request: Any) -> Any:
    from twisted.internet import ssl

    path = getattr(request, "ca_certs", None)
    if path is None:
        return None
    found = _CERTIFICATE.findall(Path(path).read_bytes())
    if not found:
        raise ValueError("the file of ca_certs holds no PEM certificate")
    load = ssl.Certificate.loadPEM
    return ssl.trustRootFromCertificates([load(pem) for pem in found])  # type: ignore[no-untyped-call]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
