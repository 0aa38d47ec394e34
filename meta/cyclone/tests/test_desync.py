"""nginx in front, hostile bytes on its way: it and the server must agree on every request (F-35).

Each request that reaches an application gets a number, which goes back in its answer. nginx logs
which number came back for which request: where the two disagree about where a request begins or
ends, a number is missing, comes twice, or stands beside another request. ``CYCLONE_DESYNC_SECONDS``
sets for how long mutated traffic is sent after the probes (default 3), ``CYCLONE_FUZZ_SEED``
repeats it.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import islice, repeat
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import wire
from nginx import configuration, running_nginx
from ports import free_port

SECONDS = float(os.environ.get("CYCLONE_DESYNC_SECONDS", "3"))
SEED = int(os.environ.get("CYCLONE_FUZZ_SEED", str(random.randrange(1 << 32))))

SERVER = """
from twisted.internet import reactor
from cyclone.web import Application, RequestHandler, stream_request_body

served = []

class Any(RequestHandler):
    def prepare(self):
        served.append([self.request.method, self.request.uri])
        self.set_header("X-Number", str(len(served)))

    def get(self):
        self.write(self.get_argument("say", "nothing"))

    def post(self):
        self.write(str(len(self.request.body)))

    head = get
    put = patch = delete = options = post

@stream_request_body
class Early(Any):
    def prepare(self):
        super().prepare()
        self.finish("early")

    def data_received(self, chunk):
        pass

class Served(RequestHandler):
    def get(self):
        self.write({"served": served, "port": shown.getHost().port})

hidden = reactor.listenTCP(0, Application([("/", Served)]), interface="127.0.0.1")
shown = reactor.listenTCP(0, Application([("/early", Early), (".*", Any)]), interface="127.0.0.1")
print(f"http://127.0.0.1:{hidden.getHost().port}", flush=True)
reactor.run()
"""
HTTP = """
    log_format numbers "$request_method $request_uri $upstream_status $upstream_http_x_number";
    access_log {folder}/access.log numbers;
    client_header_timeout 2s;
    client_body_timeout 2s;
    upstream backend {{
        server 127.0.0.1:{backend} max_fails=0;
        keepalive 4;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Connection $http_connection;
            proxy_set_header Upgrade $http_upgrade;
            proxy_request_buffering {buffering};
            proxy_ignore_client_abort on;
            proxy_next_upstream off;
            proxy_read_timeout 3s;
            proxy_pass http://backend;
        }}
    }}
"""
support: Any = wire.load("http_support")
fuzz: Any = wire.load("test_fuzz")
UNLOGGED = re.compile(r'["\\\x00-\x1f\x7f-\xff]')


class Front(NamedTuple):
    """nginx and what is behind it."""

    url: str
    hidden: str
    log: Path

    def served(self) -> dict[str, str]:
        """What reached the application, as nginx would log it, by its number."""
        with closing(wire.keep_alive(self.hidden)) as client:
            client.request("GET", "/")
            served = json.loads(client.getresponse().read())["served"]
        return {
            str(number): UNLOGGED.sub(lambda match: f"\\x{ord(match[0]):02X}", " ".join(request))
            for number, request in enumerate(served, 1)
        }

    def passed_on(self) -> dict[str, str]:
        """What nginx passed on and had an answer of the application for, by its number."""
        found: dict[str, str] = {}
        for line in self.log.read_text("latin-1").splitlines():
            request, _, number = line.rsplit(" ", 2)
            if number != "-":
                assert number not in found, (line, found[number])
                found[number] = request
        return found


@pytest.fixture(params=["on", "off"], ids=["buffered", "streamed"])
def front(request: Any, tmp_path: Path, start: Any) -> Iterator[Front]:
    folder, port = tmp_path, free_port()
    hidden = start("-c", SERVER).url
    with closing(wire.keep_alive(hidden)) as client:
        client.request("GET", "/")
        backend = json.loads(client.getresponse().read())["port"]
    http = HTTP.format(folder=folder, backend=backend, port=port, buffering=request.param)
    with running_nginx(folder, configuration(folder, http, connections=512), port):
        yield Front(f"http://127.0.0.1:{port}", hidden, folder / "access.log")


def attack(url: str, pieces: Iterable[bytes]) -> None:
    """Send, say that this was all, and read what comes."""
    with closing(wire.connect(url)) as client, suppress(OSError):
        for piece in pieces:
            client.sendall(piece)
        client.shutdown(socket.SHUT_WR)
        wire.read_to_end(client)


def attacks() -> Iterator[list[bytes]]:
    """The probes, whole and in lines, for an answer at the end and an early one; then mutations."""
    for data, _ in support.PROBES.values():
        for probe in {data, data.replace(b" / ", b" /early ", 1)}:
            yield [probe]
            if len(probe) < 2000:
                yield support.linewise(probe)
    rng = random.Random(SEED)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        yield [b"".join(fuzz.cut(rng, fuzz.mutate(rng)))]


def well_behaved(url: str, go_on: Callable[[], bool]) -> int:
    """A client that asks one thing after the other, and gets its own answers."""
    count = 0
    with closing(wire.keep_alive(url)) as client:
        while go_on():
            count += 1
            client.request("GET", f"/well?say={count}")
            assert client.getresponse().read() == b"%d" % count
            time.sleep(0.002)
    return count


def test_f_35_a_proxy_and_the_server_see_the_same_requests(front: Front) -> None:
    attacking = True
    with ThreadPoolExecutor(12) as pool:
        good = [pool.submit(well_behaved, front.url, lambda: attacking) for _ in range(2)]
        try:
            # Few at a time: how many wait would else grow with the seconds
            for some in batched(attacks(), 100):
                list(pool.map(attack, repeat(front.url), some))
        finally:
            attacking = False
        assert all(client.result() > 10 for client in good)

    served = front.served()
    passed_on = front.passed_on()
    # nginx hides the early answer to an upload that breaks off
    missing = {number: served[number] for number in served.keys() - passed_on.keys()}
    assert {request.split()[1] for request in missing.values()} <= {"/early"}, (SEED, missing)
    assert passed_on == {number: served[number] for number in passed_on}, SEED
    assert len(passed_on) > 200


def batched(iterable: Iterable[list[bytes]], size: int) -> Iterator[list[list[bytes]]]:
    iterator = iter(iterable)
    while batch := list(islice(iterator, size)):
        yield batch
