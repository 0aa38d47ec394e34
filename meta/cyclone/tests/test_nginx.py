"""nginx in front, configured as the overview shows: keep-alive upstreams, uploads, who asked."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from nginx import configuration, running_nginx
from ports import free_port

SERVER = """
import hashlib, json, sys
from twisted.internet import reactor
from cyclone.httpserver import HTTPServer
from cyclone.httputil import HTTPHeaders

paths, connections = [], set()

def callback(request):
    connections.add(id(request.connection))
    if request.path == "/seen":
        answer = {"paths": paths, "connections": len(connections)}
    else:
        paths.append(request.path)
        files = {name: [f.filename, f.size] for name, (f,) in request.files.items()}
        answer = {
            "remote_ip": request.remote_ip, "protocol": request.protocol, "host": request.host,
            "url": request.full_url(), "method": request.method, "files": files,
            "sha": hashlib.sha256(request.body).hexdigest(), "size": len(request.body),
        }
    headers = HTTPHeaders({"Content-Type": "application/json"})
    body = json.dumps(answer).encode()
    request.connection.write_response(request, 200, None, headers, body)

server = HTTPServer(callback, xheaders=True, trusted_downstream=["127.0.0.1"])
for _ in range(2):
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
reactor.run()
"""

HTTP = """
    access_log off;
    client_max_body_size 50m;
    upstream frontends {{
        server 127.0.0.1:{first};
        server 127.0.0.1:{second};
        keepalive 8;
    }}
    proxy_next_upstream error;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass_header Server;
            proxy_set_header Host $http_host;
            proxy_redirect off;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Scheme $scheme;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering {buffering};
            proxy_pass http://frontends;
        }}
    }}
"""


@pytest.fixture(scope="module", params=["on", "off"], ids=["buffered", "streamed"])
def front(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of nginx, which passes uploads on at the end or as they come."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    backend = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert backend.stdout is not None
    try:
        first, second = (int(backend.stdout.readline()) for _ in range(2))
        http = HTTP.format(first=first, second=second, port=port, buffering=request.param)
        with running_nginx(folder, configuration(folder, http), port):
            yield port
    finally:
        backend.terminate()
        backend.wait(10)
        backend.stdout.close()


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: Any) -> dict[str, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request(method, path, body=body or None, headers=headers)
        response = client.getresponse()
        data = response.read()
        assert response.status == 200, data
        answer: dict[str, Any] = json.loads(data)
        return answer


def test_who_asked(front: int) -> None:
    headers: dict[str, Any] = {"Host": "example.com", "X-Forwarded-For": "6.6.6.6"}
    answer = ask(front, "GET", "/x?y=1", **headers)
    assert answer["remote_ip"] == "127.0.0.1"
    assert answer["protocol"] == "http"
    assert answer["url"] == "http://example.com/x?y=1"


def test_upstream_connections_are_kept(front: int) -> None:
    before = ask(front, "GET", "/seen")["connections"]
    for _ in range(50):
        ask(front, "GET", "/again")
    assert ask(front, "GET", "/seen")["connections"] - before <= 4


@pytest.mark.parametrize("chunked", [False, True])
def test_upload(front: int, chunked: bool) -> None:
    data = os.urandom(5_000_000)
    pieces: Any = data
    if chunked:
        pieces = (data[i : i + 100_000] for i in range(0, len(data), 100_000))
    with closing(http.client.HTTPConnection("127.0.0.1", front, timeout=20)) as client:
        client.request(
            "POST",
            "/upload",
            body=pieces,
            encode_chunked=chunked,
            headers=({"Transfer-Encoding": "chunked"} if chunked else {}),
        )
        answer = json.loads(client.getresponse().read())
    assert answer["size"] == len(data)
    assert answer["sha"] == hashlib.sha256(data).hexdigest()


def test_multipart_upload(front: int) -> None:
    part = b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'
    body = part + bytes(2_000_000) + b"\r\n--B--\r\n"
    answer = ask(
        front, "POST", "/form", body, **{"Content-Type": "multipart/form-data; boundary=B"}
    )
    assert answer["files"] == {"f": ["a.bin", 2_000_000]}


SMUGGLED = b"GET /smug HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 31\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n",
        b"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n"
        b"Content-Length: 31\r\n\r\n",
        b"POST /p HTTP/1.1\r\nHost: x\r\nTransfer_Encoding: chunked\r\nContent-Length: 31\r\n\r\n",
        b"GET /p HTTP/1.1\r\nHost: x\r\nContent-Length: 31\r\n\r\n",
        b"POST /p HTTP/1.1\r\nHost: x\r\nX: a\nContent-Length: 31\r\n\r\n",
        b"POST /p HTTP/1.1\r\nHost: x\r\nConnection: Content-Length\r\nContent-Length: 31\r\n\r\n",
    ],
)  # fmt: skip
def test_nothing_is_smuggled_F35(front: int, data: bytes) -> None:
    """What nginx takes for one request is one request here: as many as it answered."""
    before = ask(front, "GET", "/seen")["paths"]
    with socket.create_connection(("127.0.0.1", front), 5) as sock:
        sock.sendall(data + SMUGGLED)
        sock.settimeout(0.3)
        answer = b""
        with suppress(TimeoutError):
            while piece := sock.recv(65536):
                answer += piece
    answered = answer.count(b"HTTP/1.1 200")
    after = ask(front, "GET", "/seen")["paths"][len(before) :]
    assert len(after) == answered
    # nginx itself may take what follows for a request; it is never one that nginx did not see
    assert after.count("/smug") <= max(0, answered - 1)
