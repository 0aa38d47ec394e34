"""Names are looked up by the system's resolver: nothing loads twisted.names (CN-18)."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import sys
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from cyclone.httpclient import AsyncHTTPClient
from cyclone.web import Application, RequestHandler
from cyclone.websocket import WebSocketHandler, websocket_connect

class Main(RequestHandler):
    def get(self):
        self.write("fine")

class Echo(WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)

async def main():
    application = Application([("/", Main), ("/echo", Echo)])
    port = reactor.listenTCP(0, application, interface="127.0.0.1").getHost().port
    try:
"""
END = """
    finally:
        reactor.callLater(0, reactor.stop)

failures = []
reactor.callWhenRunning(lambda: ensureDeferred(main()).addErrback(failures.append))
reactor.run()
assert not failures, failures
print([name for name in sys.modules if name.startswith("twisted.names")])
"""
PROGRAMS = {
    "fetch": """
        response = await AsyncHTTPClient().fetch(f"http://localhost:{port}/")
        assert response.body == b"fine"
""",
    "websocket": """
        connection = await websocket_connect(f"ws://localhost:{port}/echo")
        connection.write_message("said")
        assert await connection.read_message() == "said"
        connection.close()
""",
    "a name that is not there": """
        try:
            await AsyncHTTPClient().fetch("http://nowhere.invalid/")
        except OSError:
            pass
        else:
            raise AssertionError("found")
""",
    "every module": """
        import contextlib, importlib, pkgutil
        import cyclone
        for module in pkgutil.walk_packages(cyclone.__path__, "cyclone."):
            if not module.name.endswith("__main__"):
                with contextlib.suppress(ImportError):  # of what is optional
                    importlib.import_module(module.name)
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=[f"CN-18 {name}" for name in PROGRAMS])
def test_twisted_names_is_not_used(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program + END],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
