"""TLS: contexts from simple settings, and the client's certificate."""

from __future__ import annotations

import ssl
from typing import Any


def context_factory(options: Any) -> Any:
    """A Twisted context factory.

    ``options`` is one already, or a dict: ``certfile`` (PEM, with the chain), ``keyfile`` (if it
    is not in the same file), ``ca_certs`` (PEM of the authorities of client certificates),
    ``cert_reqs`` (`ssl.CERT_NONE`, ``CERT_OPTIONAL``, ``CERT_REQUIRED``), ``ciphers`` (OpenSSL's
    list for TLS 1.2) and ``ssl_version``, which can only say what holds anyway
    (`ssl.PROTOCOL_TLS_SERVER`: TLS 1.2 and later). ValueError for others, KeyError without a
    certfile, OSError for a file that cannot be read.
    """
    if not isinstance(options, dict):
        if isinstance(options, ssl.SSLContext):
            raise TypeError("ssl_options: Twisted needs a dict or a context factory, no SSLContext")
        return options
    options = dict(options)
    if options.pop("ssl_version", ssl.PROTOCOL_TLS_SERVER) not in _ANY_VERSION:
        raise ValueError("ssl_options: ssl_version is PROTOCOL_TLS_SERVER (TLS 1.2 and later)")
    if set(options) - {"certfile", "keyfile", "ca_certs", "cert_reqs", "ciphers"}:
        raise ValueError(
            "ssl_options takes certfile, keyfile, ca_certs, cert_reqs, ciphers, ssl_version"
        )
    if "certfile" not in options:
        raise KeyError("ssl_options needs a certfile")
    for name in ("certfile", "keyfile", "ca_certs"):
        if options.get(name) is not None:
            # OpenSSL's own error would not say which file it could not read
            with open(options[name], "rb"):
                pass
    return _from_files(**options)


_ANY_VERSION = (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS)


def _from_files(
    certfile: str,
    keyfile: str | None = None,
    ca_certs: str | None = None,
    cert_reqs: ssl.VerifyMode = ssl.CERT_NONE,
    ciphers: str | None = None,
) -> Any:
    try:
        from OpenSSL import SSL
    except ImportError as error:
        raise ImportError("TLS needs pyOpenSSL: install cyclone-httpserver[ssl]") from error
    from twisted.internet.ssl import CertificateOptions, TLSVersion

    factory = CertificateOptions(
        raiseMinimumTo=TLSVersion.TLSv1_2,
        acceptableProtocols=[b"http/1.1"],
    )
    context = factory.getContext()
    context.use_certificate_chain_file(certfile)
    context.use_privatekey_file(keyfile or certfile)
    context.check_privatekey()
    if ciphers is not None:
        context.set_cipher_list(ciphers.encode("ascii"))
    if ca_certs is not None:
        context.load_verify_locations(ca_certs)
    if cert_reqs != ssl.CERT_NONE:
        mode = SSL.VERIFY_PEER
        if cert_reqs == ssl.CERT_REQUIRED:
            mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        context.set_verify(mode, lambda connection, cert, errno, depth, ok: bool(ok))
        context.set_session_id(b"cyclone")
    return factory


def peer_certificate(transport: Any, binary_form: bool) -> dict[str, Any] | bytes | None:
    """What the client showed, as `ssl.SSLSocket.getpeercert` gives it; None if nothing."""
    certificate = transport.getPeerCertificate()
    if certificate is None:
        return None
    found = certificate.to_cryptography()
    from cryptography.hazmat.primitives.serialization import Encoding

    if binary_form:
        data: bytes = found.public_bytes(Encoding.DER)
        return data
    return _describe(found)


def _describe(certificate: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "subject": _name(certificate.subject),
        "issuer": _name(certificate.issuer),
        "version": certificate.version.value + 1,
        "serialNumber": f"{certificate.serial_number:X}",
        "notBefore": _time(certificate.not_valid_before_utc),
        "notAfter": _time(certificate.not_valid_after_utc),
    }
    alternatives = _alternatives(certificate)
    if alternatives:
        described["subjectAltName"] = alternatives
    return described


def _name(name: Any) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple(
        tuple(
            (_LONG_NAMES.get(part.oid.dotted_string, part.oid.dotted_string), part.value)
            for part in group
        )
        for group in name.rdns
    )


_LONG_NAMES = {
    "2.5.4.3": "commonName",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "countryName",
    "2.5.4.7": "localityName",
    "2.5.4.8": "stateOrProvinceName",
    "2.5.4.10": "organizationName",
    "2.5.4.11": "organizationalUnitName",
    "1.2.840.113549.1.9.1": "emailAddress",
}


def _time(moment: Any) -> str:
    months = "JanFebMarAprMayJunJulAugSepOctNovDec"
    month = months[3 * moment.month - 3 : 3 * moment.month]
    return f"{month} {moment.day:2d} {moment:%H:%M:%S} {moment.year} GMT"


def _alternatives(certificate: Any) -> tuple[tuple[str, str], ...]:
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    kinds: dict[type[Any], str] = {
        x509.DNSName: "DNS",
        x509.IPAddress: "IP Address",
        x509.RFC822Name: "email",
        x509.UniformResourceIdentifier: "URI",
    }
    return tuple(
        (kinds[type(name)], str(name.value)) for name in extension.value if type(name) in kinds
    )
