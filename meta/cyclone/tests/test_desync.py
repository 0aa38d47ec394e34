"""A proxy in front, hostile bytes on its way: it and the server must agree on every request (F-35).

Each request that reaches an application gets a number, which goes back in its answer. nginx and
HAProxy log which number came back for which request: where the two disagree about where a request
begins or ends, a number is missing, comes twice, or stands beside another request.
``CYCLONE_DESYNC_SECONDS`` sets for how long mutated traffic is sent after the probes (default 2),
``CYCLONE_FUZZ_SEED`` repeats it.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import islice, repeat
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import wire
from nginx import answers, configuration, running_nginx
from ports import free_port
from programs import find_program

SECONDS = float(os.environ.get("CYCLONE_DESYNC_SECONDS", "2"))
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
NGINX = """
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
HAPROXY = """
global
    log stdout format raw local0
    nbthread 1
defaults
    mode http
    log global
    timeout connect 3s
    timeout client 2s
    timeout server 3s
frontend shown
    bind 127.0.0.1:{port}
    {options}
    http-response set-var(txn.number) res.hdr(x-number)
    log-format "%HM %HU %ST %[var(txn.number)]"
    default_backend ours
backend ours
    http-reuse always
    server one 127.0.0.1:{backend}
"""
# The second passes on what HAProxy itself would refuse
OPTIONS = {
    "buffered": "option http-buffer-request",
    "lenient": "option accept-invalid-http-request",
}
support: Any = wire.load("http_support")
fuzz: Any = wire.load("test_fuzz")
# What a proxy does not write to its log as it came, and how it does
UNLOGGED = {
    "nginx": (re.compile(r'["\\\x00-\x1f\x7f-\xff]'), "\\x{:02X}"),
    "haproxy": (re.compile(r'["#\x00-\x1f\x7f-\xff]'), "#{:02X}"),
}


class Front(NamedTuple):
    """A proxy and what is behind it."""

    kind: str
    url: str
    hidden: str
    log: Path

    def served(self) -> dict[str, str]:
        """What reached the application, as the proxy would log it, by its number."""
        with closing(wire.keep_alive(self.hidden)) as client:
            client.request("GET", "/")
            served = json.loads(client.getresponse().read())["served"]
        pattern, form = UNLOGGED[self.kind]
        return {
            str(number): pattern.sub(lambda match: form.format(ord(match[0])), " ".join(request))
            for number, request in enumerate(served, 1)
        }

    def passed_on(self) -> dict[str, str]:
        """What the proxy passed on and had an answer of the application for, by its number."""
        found: dict[str, str] = {}
        for line in self.log.read_text("latin-1").splitlines():
            request, _, number = line.rsplit(" ", 2)
            if number.isdigit():
                assert number not in found, (line, found[number])
                found[number] = AUTHORITY.sub(r"\1 /", request)
        return found


# HAProxy logs a target with its scheme and authority as it came
AUTHORITY = re.compile(r"^(\S+) https?://[^/?]*/?", re.IGNORECASE)


@pytest.fixture(params=["nginx-on", "nginx-off", "haproxy-buffered", "haproxy-lenient"])
def front(request: Any, tmp_path: Path, start: Any) -> Iterator[Front]:
    kind, _, how = request.param.partition("-")
    folder, port = tmp_path, free_port()
    hidden = start("-c", SERVER).url
    with closing(wire.keep_alive(hidden)) as client:
        client.request("GET", "/")
        backend = json.loads(client.getresponse().read())["port"]
    url, places = f"http://127.0.0.1:{port}", {"backend": backend, "port": port}
    if kind == "nginx":
        http = NGINX.format(folder=folder, buffering=how, **places)
        with running_nginx(folder, configuration(folder, http, connections=512), port):
            yield Front(kind, url, hidden, folder / "access.log")
    else:
        text = HAPROXY.format(options=OPTIONS[how], **places)
        with running_haproxy(folder, text, port) as log:
            yield Front(kind, url, hidden, log)


@contextmanager
def running_haproxy(folder: Path, text: str, port: int) -> Iterator[Path]:
    """Run HAProxy with this configuration; gives its log, complete when the block is left."""
    program, path, log = find_program("haproxy"), folder / "haproxy.cfg", folder / "haproxy.log"
    path.write_text(text, "utf-8")
    with log.open("wb") as out:
        process = subprocess.Popen([program, "-db", "-f", path], stdout=out, stderr=out)
    try:
        limit = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None, log.read_text("utf-8", "replace")
            assert time.monotonic() < limit, "haproxy did not start"
            time.sleep(0.02)
        yield log
    finally:
        process.terminate()
        process.wait(60)


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


def well_behaved(url: str, go_on: Callable[[], bool]) -> tuple[int, int]:
    """A client that asks one thing after the other, and gets its own answers.

    Gives how often it asked, and how often it had to ask again: when HAProxy found the connection
    closed on which it wanted to pass a later request on, it hangs up (2.6) or says 502 (3.0).
    """
    count, again = 0, 0
    with closing(wire.keep_alive(url)) as client:
        while go_on():
            count += 1
            client.request("GET", f"/well?say={count}")
            try:
                response = client.getresponse()
                said = response.read()
                if response.status == 502:
                    again += 1
                else:
                    assert said == b"%d" % count
            except ConnectionError:
                again += 1
                client.close()
            time.sleep(0.002)
    return count, again


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
        for count, again in (client.result() for client in good):
            assert count > 10
            assert again <= (0 if front.kind == "nginx" else count // 10)

    served = front.served()
    passed_on = front.passed_on()
    # A proxy hides the early answer to an upload that breaks off
    missing = {number: served[number] for number in served.keys() - passed_on.keys()}
    assert {request.split()[1] for request in missing.values()} <= {"/early"}, (SEED, missing)
    assert passed_on == {number: served[number] for number in passed_on}, SEED
    assert len(passed_on) > 200


def batched(iterable: Iterable[list[bytes]], size: int) -> Iterator[list[list[bytes]]]:
    iterator = iter(iterable)
    while batch := list(islice(iterator, size)):
        yield batch
