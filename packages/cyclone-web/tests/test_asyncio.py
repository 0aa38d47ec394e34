"""Handlers on Twisted's asyncio reactor: Deferreds and asyncio awaitables in one body.

A process has one reactor, so each of these runs a program of its own. The program makes the
requests itself, with httpx, an asyncio library, and prints what it got.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

PROLOGUE = """
from twisted.internet import asyncioreactor
asyncioreactor.install()

import asyncio
import json
import logging
import sys

import httpx
from cyclone.web import Application, HTTPError, RequestHandler, UIModule
from twisted.internet import defer, reactor, task
from twisted.internet.defer import Deferred

logging.basicConfig(stream=sys.stderr)


def later(value, delay=0.01):
    return task.deferLater(reactor, delay, lambda: value)


HANDLERS = []
SETTINGS = {}


class Plain(RequestHandler):
    def get(self):
        self.write("plain")
"""

EPILOGUE = """

async def main():
    application = Application([("/plain", Plain), *HANDLERS], **SETTINGS)
    port = reactor.listenTCP(0, application, interface="127.0.0.1")
    global URL
    URL = f"http://127.0.0.1:{port.getHost().port}"
    try:
        async with httpx.AsyncClient(base_url=URL, timeout=10) as client:
            result = await requests(client)
        print(json.dumps(result))
    finally:
        reactor.stop()


reactor.callWhenRunning(lambda: asyncio.ensure_future(main()))
reactor.run()
"""


def run(program: str) -> Any:
    """What the program printed; its log is in an assertion's message when it fails."""
    source = PROLOGUE + textwrap.dedent(program) + EPILOGUE
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", source],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.stderr


def test_both_worlds_in_one_body() -> None:
    result, log = run(
        """
        class Both(RequestHandler):
            async def prepare(self):
                await later(None)
                self.task = asyncio.current_task()

            async def get(self):
                found = {"same task": asyncio.current_task() is self.task is not None}
                found["deferred"] = await later("d")
                found["sleep"] = await asyncio.sleep(0.01, "s")
                found["thread"] = await asyncio.to_thread(lambda: "t")
                async with httpx.AsyncClient() as client:
                    deferred = later("beside")
                    found["httpx"] = (await client.get(URL + "/plain")).text
                    found["beside"] = await deferred
                found["gather"] = await asyncio.gather(later(1), asyncio.sleep(0.01, 2), one(3))
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(one(number)) for number in range(3)]
                found["group"] = [task.result() for task in tasks]
                found["fired"] = await defer.succeed("f")
                self.write(found)

        async def one(value):
            await asyncio.sleep(0)
            return await later(value)

        HANDLERS.append(("/", Both))

        async def requests(client):
            return (await client.get("/")).json()
        """
    )
    assert result == {
        "same task": True,
        "deferred": "d",
        "sleep": "s",
        "thread": "t",
        "httpx": "plain",
        "beside": "beside",
        "gather": [1, 2, 3],
        "group": [0, 1, 2],
        "fired": "f",
    }, log


def test_exceptions_and_cancellation_travel_both_ways() -> None:
    result, log = run(
        """
        class Failing(RequestHandler):
            async def get(self, kind):
                if kind == "deferred":
                    await later(None).addCallback(lambda _: 1 / 0)
                elif kind == "fired":
                    await defer.fail(HTTPError(404))
                elif kind == "asyncio":
                    await asyncio.to_thread(lambda: 1 / 0)
                elif kind == "group":
                    async with asyncio.TaskGroup() as group:
                        group.create_task(broken())
                elif kind == "timeout":
                    async with asyncio.timeout(0.02):
                        await Deferred(cancelled.append)
                elif kind == "cancel":
                    asyncio.current_task().cancel()
                    await Deferred(cancelled.append)
                elif kind == "caught":
                    try:
                        async with asyncio.timeout(0.02):
                            await Deferred(cancelled.append)
                    except TimeoutError:
                        self.write("caught")
                elif kind == "inner":
                    try:
                        await later(None).addCallback(lambda _: 1 / 0)
                    except ZeroDivisionError:
                        self.write("caught")

        async def broken():
            await later(None)
            raise ValueError("in a group")

        cancelled = []
        KINDS = ["deferred", "fired", "asyncio", "group", "timeout", "cancel", "caught", "inner"]
        HANDLERS.append((r"/(\\w+)", Failing))

        async def requests(client):
            found = {kind: (await client.get("/" + kind)).status_code for kind in KINDS}
            return found | {"cancelled": len(cancelled)}
        """
    )
    assert result == {
        "deferred": 500,
        "fired": 404,
        "asyncio": 500,
        "group": 500,
        "timeout": 500,
        "cancel": 500,
        "caught": 200,
        "inner": 200,
        "cancelled": 3,
    }, log
    assert "Uncaught exception GET /timeout" in log
    assert "Uncaught exception GET /cancel" not in log, "somebody wanted that"
    assert "was never retrieved" not in log
    assert "Unhandled error in Deferred" not in log


def test_every_kind_of_result() -> None:
    result, log = run(
        """
        class Future(RequestHandler):
            def get(self):
                return asyncio.ensure_future(self.body())

            async def body(self):
                await later(None)
                self.write("future")

        class Inline(RequestHandler):
            @defer.inlineCallbacks
            def get(self):
                self.write((yield later("inline")))

        class Immediate(RequestHandler):
            async def get(self):
                self.write("immediate")

        class Prepared(RequestHandler):
            def prepare(self):
                return later(None)

            async def get(self):
                async with asyncio.timeout(1):
                    self.write(await later("prepared"))

        HANDLERS += [("/f", Future), ("/l", Inline), ("/i", Immediate), ("/p", Prepared)]

        async def requests(client):
            return [(await client.get("/" + name)).text for name in "flip"]
        """
    )
    assert result == ["future", "inline", "immediate", "prepared"], log


def test_f_26_kinds_of_handlers_map_their_errors_alike() -> None:
    result, log = run(
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        OUTCOMES = {"error": ValueError, "http": lambda: HTTPError(404)}

        async def outcome(kind):
            await asyncio.sleep(0)
            if kind == "cancelled":
                raise asyncio.CancelledError
            if kind in OUTCOMES:
                raise OUTCOMES[kind]()
            return "done"

        def told(kind):
            deferred = Deferred()
            if kind == "cancelled":
                reactor.callLater(0, deferred.cancel)
            elif kind in OUTCOMES:
                reactor.callLater(0, deferred.errback, OUTCOMES[kind]())
            else:
                reactor.callLater(0, deferred.callback, "done")
            return deferred

        class OfDeferred(RequestHandler):
            def get(self, kind):
                return told(kind).addCallback(self.write)

        class OfInline(RequestHandler):
            @defer.inlineCallbacks
            def get(self, kind):
                self.write((yield told(kind)))

        class OfGenerator(RequestHandler):
            def get(self, kind):
                self.write((yield told(kind)))

        class OfCoroutine(RequestHandler):
            async def get(self, kind):
                self.write(await told(kind))

        class OfAsyncio(RequestHandler):
            async def get(self, kind):
                self.write(await outcome(kind))

        class OfTask(RequestHandler):
            async def get(self, kind):
                self.write(await asyncio.create_task(outcome(kind)))

        class OfFuture(RequestHandler):
            def get(self, kind):
                future = asyncio.ensure_future(outcome(kind))
                return Deferred.fromFuture(future).addCallback(self.write)

        class OfBareFuture(RequestHandler):
            def get(self, kind):
                async def body():
                    self.write(await outcome(kind))
                return asyncio.ensure_future(body())

        NAMES = [name for name in dir() if name.startswith("Of")]
        HANDLERS += [(f"/{name}/(.*)", globals()[name]) for name in NAMES]

        async def requests(client):
            return {
                name: [
                    (await client.get(f"/{name}/{kind}")).status_code
                    for kind in ("fine", "error", "http", "cancelled")
                ]
                for name in NAMES
            }
        """
    )
    assert len(result) == 8
    assert result == {name: [200, 500, 404, 500] for name in result}, log
    assert "was never retrieved" not in log
    assert "Unhandled error in Deferred" not in log


def test_modules_of_a_page_wait_beside_each_other() -> None:
    result, log = run(
        """
        import time
        from cyclone.template import DictLoader

        class Waiting(UIModule):
            async def render(self, number):
                if number % 2:
                    await asyncio.sleep(0.1)
                else:
                    await later(None, 0.1)
                return f"<{number}>"

        class Page(RequestHandler):
            def get(self):
                self.render("page.html")

        PAGE = "{% for n in range(10) %}{% module Waiting(n) %}{% end %}"
        SETTINGS.update(
            ui_modules={"Waiting": Waiting}, template_loader=DictLoader({"page.html": PAGE})
        )
        HANDLERS.append(("/", Page))

        async def requests(client):
            begun = time.monotonic()
            text = (await client.get("/")).text
            return [text, time.monotonic() - begun]
        """
    )
    assert result[0] == "".join(f"<{number}>" for number in range(10)), log
    assert result[1] < 0.9


def test_a_client_that_leaves_cancels_the_task() -> None:
    result, log = run(
        """
        events = []

        class Slow(RequestHandler):
            async def get(self):
                try:
                    await (Deferred() if self.get_argument("d", None) else asyncio.sleep(30))
                except asyncio.CancelledError:
                    events.append("cancelled")
                    raise

            def on_finish(self):
                events.append("finished")

        HANDLERS.append(("/slow", Slow))
        SETTINGS.update(cancel_on_disconnect=True)

        async def requests(client):
            for path in ("/slow", "/slow?d=1"):
                try:
                    await client.get(path, timeout=0.2)
                except httpx.ReadTimeout:
                    pass
                while len(events) % 2 or not events:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            return events
        """
    )
    assert result == ["cancelled", "finished"] * 2, log
    assert "Traceback" not in log


def test_other_tasks_of_the_loop_are_left_alone() -> None:
    result, log = run(
        """
        class Starting(RequestHandler):
            async def get(self):
                await later(None)
                self.write("ok")

        HANDLERS.append(("/", Starting))

        async def outside():
            try:
                await later(None)
            except RuntimeError as error:
                return "bad yield" in str(error)

        async def requests(client):
            await client.get("/")
            return await asyncio.ensure_future(outside())
        """
    )
    assert result is True, log


@pytest.mark.parametrize("awaited", ["asyncio.sleep(0.01)", "asyncio.to_thread(int)"])
def test_without_that_reactor_the_error_says_what_to_install(
    serve: Any, caplog: pytest.LogCaptureFixture, awaited: str
) -> None:
    import asyncio

    from cyclone.web import RequestHandler

    class Wrong(RequestHandler):
        async def get(self) -> None:
            await eval(awaited, {"asyncio": asyncio})

    assert serve([("/", Wrong)]).fetch("GET", "/").status == 500
    assert "asyncioreactor.install()" in caplog.text


MAIN = """
import asyncio

from cyclone.web import Application


async def later(value):
    from twisted.internet import reactor, task

    return await task.deferLater(reactor, 0.01, lambda: value)


async def main():
    server = Application().listen(0, "127.0.0.1")
    print(await asyncio.create_task(later(1)), await asyncio.gather(later(2), later(3)))
    await server.stop().asFuture(asyncio.get_running_loop())


asyncio.run(main())
"""


def test_tasks_of_a_main_that_listens() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MAIN], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("1 [2, 3]\n", "")
