"""Ids that go from request to request, and a blocked reactor, over real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

PROGRAM = """
import json, logging, sys, time

if sys.argv[1] == "asyncio":
    from twisted.internet import asyncioreactor
    asyncioreactor.install()
from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from cyclone.httpclient import AsyncHTTPClient
from cyclone.web import Application, RequestContextFilter, RequestHandler

lines = []

class Lines(logging.Handler):
    def emit(self, record):
        lines.append([record.name, record.request_id, record.trace_id, record.getMessage()])

handler = Lines()
handler.addFilter(RequestContextFilter())
logging.basicConfig(level=logging.INFO, handlers=[handler])

class Echo(RequestHandler):
    def get(self):
        self.write(dict(self.request.headers.get_all()))

class Front(RequestHandler):
    async def get(self):
        await deferLater(reactor, 0.01)
        response = await AsyncHTTPClient().fetch(url + "/echo")
        logging.getLogger("front").info("fetched")
        self.write({"id": self.request_id, "sent": json.loads(response.body)})

class Sync(RequestHandler):
    def get(self):
        time.sleep(0.3)

class Later(RequestHandler):
    async def get(self):
        await deferLater(reactor, 0.01)
        time.sleep(0.3)

class Inline(RequestHandler):
    @inlineCallbacks
    def get(self):
        yield deferLater(reactor, 0.01)
        time.sleep(0.3)

routes = [("/" + c.__name__.lower(), c) for c in (Echo, Front, Sync, Later, Inline)]
application = Application(routes, debug=True, autoreload=False, trace_context=True)
port = reactor.listenTCP(0, application, interface="127.0.0.1")
url = f"http://127.0.0.1:{port.getHost().port}"
client = AsyncHTTPClient(force_instance=True)

async def main():
    response = await client.fetch(url + "/front", headers={"traceparent": sys.argv[2]})
    for name in ("sync", "later", "inline"):
        await client.fetch(f"{url}/{name}")
        await deferLater(reactor, 0.1)
    print(json.dumps({"answer": json.loads(response.body), "lines": lines}))

def done(result):
    if result is not None:
        result.printTraceback()
    reactor.stop()

reactor.callWhenRunning(lambda: Deferred.fromCoroutine(main()).addBoth(done))
reactor.run()
"""


@pytest.fixture(params=["default", "asyncio"], scope="module")
def seen(request: pytest.FixtureRequest) -> Any:
    """What the program printed: the answer of /front and all log lines."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, request.param, f"00-{TRACE}-{SPAN}-01"],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return json.loads(run.stdout)


def test_the_ids_go_out_with_a_fetch_in_a_request(seen: Any) -> None:
    sent = {name.lower(): value for name, value in seen["answer"]["sent"].items()}
    assert sent["x-request-id"] == seen["answer"]["id"]
    version, trace, span, flags = sent["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != SPAN


def test_the_log_lines_of_the_request_have_them(seen: Any) -> None:
    name = seen["answer"]["id"]
    own = [line[0] for line in seen["lines"] if line[1] == name]
    assert own.count("front") == own.count("cyclone.access") == 1
    assert {line[2] for line in seen["lines"] if line[1] == name} == {TRACE}


@pytest.mark.parametrize("handler", ["Sync", "Later", "Inline"])
def test_who_blocked_the_reactor_is_logged(seen: Any, handler: str) -> None:
    found = [line[3] for line in seen["lines"] if "reactor was blocked" in line[3]]
    assert sum(f"ms by __main__.{handler}" in line for line in found) == 1
