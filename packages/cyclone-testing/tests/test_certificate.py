"""The certificate of tests over TLS."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

from cyclone.testing import AsyncHTTPSTestCase
from cyclone.testing._certificate import certificate_files


def test_it_is_made_once_and_its_key_is_private() -> None:
    certificate, key = certificate_files()
    assert certificate_files() == (certificate, key)
    assert os.stat(key).st_mode & 0o077 == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    assert AsyncHTTPSTestCase.default_ssl_options() == {"certfile": certificate, "keyfile": key}


def test_clients_that_trust_it_believe_its_names() -> None:
    context = ssl.create_default_context(cafile=certificate_files()[0])
    (found,) = context.get_ca_certs()
    names = found["subjectAltName"]
    assert {"localhost", "127.0.0.1", "foo.example.com"} <= {str(name[1]) for name in names}


def test_the_files_vanish_with_the_process() -> None:
    code = "from cyclone.testing._certificate import certificate_files as f; print(f()[0])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    path = Path(done.stdout.strip())
    assert path.name == "test.crt"
    assert not path.parent.exists()
