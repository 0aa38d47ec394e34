"""wss: certificates are checked unless told otherwise."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import trustme
from twisted.internet import defer
from twisted.trial import unittest

from cyclone.httpclient import HTTPRequest, HTTPTLSError
from cyclone.web import Application
from cyclone.websocket import WebSocketHandler, websocket_connect
from cyclone.websocket._tls import connection_creator


class Echo(WebSocketHandler):
    def on_message(self, message: str | bytes) -> Any:
        return self.write_message(message, isinstance(message, bytes))


class TLSTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        self.ca = str(folder / "ca.pem")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca)
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        pem = folder / "server.pem"
        certificate.private_key_and_cert_chain_pem.write_to_path(str(pem))
        self.pem = str(pem)
        application = Application([("/", Echo)], log_function=lambda handler: None)
        options = {"certfile": self.pem, "keyfile": self.pem}
        self.server = application.listen(0, "127.0.0.1", ssl_options=options)
        (port,) = self.server.gate.ports
        self.url = f"wss://127.0.0.1:{port.getHost().port}/"

    async def tearDown(self) -> None:  # type: ignore[override]
        await self.server.stop(deadline=1, idle_grace=0)

    async def test_a_certificate_of_a_known_authority(self) -> None:
        request = HTTPRequest(self.url, ca_certs=self.ca)
        async with await websocket_connect(request) as ws:
            for message in ("hello", "x" * 300_000):
                await ws.write_message(message)
                assert await ws.read_message() == message

    async def test_a_slow_reader_over_tls(self) -> None:
        request = HTTPRequest(self.url, ca_certs=self.ca)
        async with await websocket_connect(request) as ws:
            for _ in range(40):
                ws.write_message(b"x" * 100_000, binary=True)
            for _ in range(40):
                assert len(await ws.read_message() or b"") == 100_000

    async def test_a_certificate_of_nobody(self) -> None:
        with pytest.raises(HTTPTLSError, match="certificate"):
            await websocket_connect(self.url)

    async def test_no_check_if_told_so(self) -> None:
        ws = await websocket_connect(HTTPRequest(self.url, validate_cert=False))
        await defer.gatherResults([ws.close()])

    async def test_options_of_twisted(self) -> None:
        creator = connection_creator("127.0.0.1", HTTPRequest(self.url, ca_certs=self.ca))
        ws = await websocket_connect(HTTPRequest(self.url, ssl_options=creator))
        await ws.close()


@pytest.mark.parametrize("options", [5, "x"])
def test_options_that_cannot_be(options: Any) -> None:
    class Request:
        ssl_options = options

    with pytest.raises(ValueError, match="ssl_options"):
        connection_creator("h", Request())


def test_a_file_without_certificates(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")
    with pytest.raises(ValueError, match="no PEM"):
        connection_creator("h", HTTPRequest("wss://h", ca_certs=str(empty)))
