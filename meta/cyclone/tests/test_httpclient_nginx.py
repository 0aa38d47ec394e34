"""The HTTP client against nginx: keep-alive, gzip, ranges, TLS, large downloads, uploads."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trustme
from nginx import configuration, running_nginx
from ports import free_port
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from cyclone.httpclient import (
    AsyncHTTPClient,
    HTTPClientError,
    HTTPStreamClosedError,
    HTTPTLSError,
    fetch,
)

HTTP = """
  access_log off; types {{ text/plain txt; }} default_type application/octet-stream;
  gzip on; gzip_min_length 1; gzip_types text/plain;
  client_max_body_size 10m; dav_methods PUT;
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    root {folder}/html;
    location /serial {{ return 200 $connection; }}
    location /moved {{ return 301 /hello.txt; }}
    location /away {{ return 302 https://localhost:{https}/hello.txt; }}
    location /secret.txt {{ auth_basic "realm"; auth_basic_user_file {folder}/users; }}
    location /close {{ keepalive_timeout 0; return 200 closed; }}
    location /gone {{ return 444; }}
  }}
"""


class Nginx:
    """What the server is to serve: its files, its ports and its authority."""

    def __init__(self, folder: Path) -> None:
        self.http, self.https = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http}"
        self.secure = f"https://localhost:{self.https}"
        self.ca_file = folder / "ca.pem"
        self.big = bytes(range(256)) * 20_000
        self._files(folder)
        http = HTTP.format(folder=folder, http=self.http, https=self.https)
        self.configuration = configuration(folder, http)

    def _files(self, folder: Path) -> None:
        folder.chmod(0o755)
        html = folder / "html"
        html.mkdir()
        html.chmod(0o777)
        (html / "hello.txt").write_text("hello " * 1000)
        (html / "secret.txt").write_text("in")
        (html / "big.bin").write_bytes(self.big)
        digest = "{SHA}" + _base64(hashlib.sha1(b"pass", usedforsecurity=False).digest())
        (folder / "users").write_text(f"user:{digest}\n")
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(self.ca_file))
        server = ca.issue_cert("localhost")
        server.private_key_pem.write_to_path(str(folder / "server.key"))
        for pem in server.cert_chain_pems:
            pem.write_to_path(str(folder / "server.pem"), append=True)


def _base64(data: bytes) -> str:
    from base64 import b64encode

    return b64encode(data).decode()


@pytest.fixture(scope="class")
def nginx(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("nginx")
    request.cls.nginx = server = Nginx(folder)
    with running_nginx(folder, server.configuration, server.https):
        yield


@pytest.mark.usefixtures("nginx")
class NginxTests(TestCase):
    nginx: Nginx

    def setUp(self) -> None:
        self.client = AsyncHTTPClient(force_instance=True)

    def tearDown(self) -> Deferred[None]:  # type: ignore[override]
        self.client.close()
        done: Deferred[None] = Deferred()
        from twisted.internet import reactor

        reactor.callLater(0.01, done.callback, None)
        return done

    async def test_connections_are_kept(self) -> None:
        serials = {(await self.client.fetch(self.nginx.url + "/serial")).body for _ in range(5)}
        assert len(serials) == 1
        await self.client.fetch(self.nginx.url + "/close")
        assert (await self.client.fetch(self.nginx.url + "/serial")).body not in serials

    async def test_gzip(self) -> None:
        response = await self.client.fetch(self.nginx.url + "/hello.txt")
        assert response.body == b"hello " * 1000
        assert response.headers["X-Consumed-Content-Encoding"] == "gzip"

    async def test_a_range(self) -> None:
        response = await self.client.fetch(
            self.nginx.url + "/big.bin", headers={"Range": "bytes=10-19"}
        )
        assert (response.code, response.body) == (206, bytes(range(10, 20)))

    async def test_not_modified(self) -> None:
        first = await self.client.fetch(self.nginx.url + "/big.bin", method="HEAD")
        assert (first.body, first.length) == (b"", len(self.nginx.big))
        response = await fetch(
            self.nginx.url + "/big.bin",
            headers={"If-None-Match": first.headers["Etag"]},
            client=self.client,
        )
        assert (response.code, response.body, response.error) == (304, b"", None)

    async def test_a_large_download_streamed(self) -> None:
        digest = hashlib.sha256()
        await self.client.fetch(self.nginx.url + "/big.bin", streaming_callback=digest.update)
        assert digest.digest() == hashlib.sha256(self.nginx.big).digest()

    async def test_redirects_and_tls(self) -> None:
        response = await self.client.fetch(self.nginx.url + "/moved")
        assert response.effective_url == self.nginx.url + "/hello.txt"
        response = await self.client.fetch(self.nginx.url + "/away", ca_certs=self.nginx.ca_file)
        assert response.effective_url == self.nginx.secure + "/hello.txt"
        assert response.body == b"hello " * 1000
        with pytest.raises(HTTPTLSError):
            await self.client.fetch(self.nginx.secure + "/hello.txt")

    async def test_basic_credentials(self) -> None:
        url = self.nginx.url + "/secret.txt"
        with pytest.raises(HTTPClientError, match="401"):
            await self.client.fetch(url)
        response = await self.client.fetch(url, auth_username="user", auth_password="pass")
        assert response.body == b"in"

    async def test_uploads(self) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(16):
                yield b"x" * 65536

        url = self.nginx.url + "/upload.bin"
        response = await self.client.fetch(url, method="PUT", body=pieces())
        assert response.code == 201
        assert len((await self.client.fetch(url)).body) == 16 * 65536
        response = await self.client.fetch(url, method="PUT", body=b"y", expect_100_continue=True)
        assert response.code == 204
        assert (await self.client.fetch(url)).body == b"y"

    async def test_too_large_an_upload_is_answered(self) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(400):
                yield b"x" * 65536

        response = await self.client.fetch(
            self.nginx.url + "/upload.bin",
            method="PUT",
            body=pieces(),
            headers={"Content-Length": str(400 * 65536)},
            raise_error=False,
        )
        assert response.code == 413

    async def test_a_server_that_only_hangs_up(self) -> None:
        await self.client.fetch(self.nginx.url + "/serial")
        with pytest.raises(HTTPStreamClosedError):
            await self.client.fetch(self.nginx.url + "/gone")
