"""A certificate for the tests of one process."""

from __future__ import annotations

import atexit
import datetime
import functools
import ipaddress
import shutil
import tempfile
from pathlib import Path


@functools.cache
def certificate_files() -> tuple[str, str]:
    """The paths of a self-signed certificate and of its key, made once in a process.

    It is good for ``localhost``, ``127.0.0.1``, ``::1`` and ``foo.example.com``, for a day. The
    files vanish when the process ends.

    :raises ModuleNotFoundError: without ``cyclone-testing[ssl]``.
    """
    certificate, key = _make()
    folder = tempfile.mkdtemp(prefix="cyclone-testing-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    paths = Path(folder, "test.crt"), Path(folder, "test.key")
    paths[0].write_bytes(certificate)
    paths[1].touch(mode=0o600)
    paths[1].write_bytes(key)
    return str(paths[0]), str(paths[1])


def _make() -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "foo.example.com")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName("foo.example.com")]
    names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", "::1")]
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    return certificate.public_bytes(encoding), key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
