"""The HTTP client through tinyproxy: absolute form, CONNECT, credentials; and the example."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
from ports import free_port
from programs import find_program
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import Site

from cyclone.httpclient import AsyncHTTPClient, HTTPProxyError

EXAMPLE = Path(__file__).parents[3] / "examples" / "proxy_fetch.py"

CONFIG = """
Port {port}
Listen 127.0.0.1
Timeout 20
MaxClients 20
Allow 127.0.0.1
BasicAuth user pass
LogLevel Critical
PidFile "{folder}/pid"
LogFile "{folder}/log"
"""


class Page(Resource):
    isLeaf = True

    def render(self, request: Any) -> bytes:
        assert request.getHeader("Proxy-Authorization") is None
        return b"through " + bytes(request.path)


@pytest.fixture(scope="class")
def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    program = find_program("tinyproxy")
    folder = tmp_path_factory.mktemp("proxy")
    port = free_port()
    config = folder / "tinyproxy.conf"
    config.write_text(CONFIG.format(port=port, folder=folder))
    process = subprocess.Popen([program, "-d", "-c", str(config)], stdout=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    request.cls.proxy = f"127.0.0.1:{port}"
    request.cls.folder = folder
    yield
    process.terminate()
    process.wait()


@pytest.mark.usefixtures("proxy")
class ProxyTests(TestCase):
    proxy: str
    folder: Path

    def setUp(self) -> None:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from cryptography.x509 import load_pem_x509_certificate
        from twisted.internet import reactor
        from twisted.internet.ssl import CertificateOptions

        self.reactor = cast(Any, reactor)
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        cert = ca.issue_cert("127.0.0.1")
        options = CertificateOptions(
            privateKey=load_pem_private_key(cert.private_key_pem.bytes(), None),  # type: ignore[arg-type]
            certificate=load_pem_x509_certificate(cert.cert_chain_pems[0].bytes()),  # type: ignore[arg-type]
        )
        site: Any = Site(Page())  # type: ignore[no-untyped-call]
        self.plain = self.reactor.listenTCP(0, site, interface="127.0.0.1")
        self.secure = self.reactor.listenSSL(0, site, options, interface="127.0.0.1")
        self.url = f"http://127.0.0.1:{self.plain.getHost().port}"
        self.secure_url = f"https://127.0.0.1:{self.secure.getHost().port}"
        self.client = AsyncHTTPClient(force_instance=True)

    async def tearDown(self) -> None:  # type: ignore[override]
        self.client.close()
        await self.plain.stopListening()
        await self.secure.stopListening()
        done: Deferred[None] = Deferred()
        self.reactor.callLater(0.05, done.callback, None)
        await done

    async def test_http(self) -> None:
        response = await self.client.fetch(self.url + "/x", proxy=f"http://user:pass@{self.proxy}")
        assert response.body == b"through /x"
        assert "tinyproxy" in response.headers["Via"]
        response = await self.client.fetch(self.url, proxy=self.proxy, raise_error=False)
        assert response.code == 407

    async def test_https(self) -> None:
        for path in ("/x", "/y"):
            response = await self.client.fetch(
                self.secure_url + path,
                proxy=f"user:pass@{self.proxy}",
                ca_certs=self.folder / "ca.pem",
            )
            assert response.body == b"through " + path.encode()
        with pytest.raises(HTTPProxyError) as caught:
            await self.client.fetch(self.secure_url, proxy=self.proxy)
        assert caught.value.proxy_code in (401, 407)

    async def test_the_example(self) -> None:
        from twisted.internet.utils import getProcessOutputAndValue

        out, err, code = await getProcessOutputAndValue(  # type: ignore[no-untyped-call]
            sys.executable, [str(EXAMPLE), self.url, f"http://user:pass@{self.proxy}"]
        )
        assert code == 0, err
        assert out.startswith(b"200 OK")
        assert b"Via:" in out
