"""AsyncHTTPTestCase and AsyncHTTPSTestCase."""

from __future__ import annotations

import unittest
from collections.abc import Generator
from typing import Any

import pytest
from reactor_support import later
from twisted.internet.defer import inlineCallbacks
from twisted.trial import unittest as trial

from cyclone.httpclient import HTTPClientError, HTTPConnectError
from cyclone.httpserver import HTTPRequest, HTTPServer
from cyclone.httputil import HTTPHeaders
from cyclone.testing import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    ExpectLog,
    bind_unused_port,
    gen_test,
)
from cyclone.testing._httpcase import _asks_for_gzip, server_for
from cyclone.web import Application, RequestHandler


class Hello(RequestHandler):
    def get(self) -> None:
        self.write(f"hello over {self.request.protocol}")

    def post(self) -> None:
        self.write(self.request.body)


class Waits(RequestHandler):
    async def get(self) -> None:
        await later(0.001)
        self.write("waited")


class Yields(RequestHandler):
    @inlineCallbacks
    def get(self) -> Any:
        self.write((yield later(0.001, "yielded")))


class Hangs(RequestHandler):
    async def get(self) -> None:
        await later(3600)


class Broken(RequestHandler):
    def get(self) -> None:
        raise ZeroDivisionError


HANDLERS = [
    ("/", Hello),
    ("/waits", Waits),
    ("/yields", Yields),
    ("/hangs", Hangs),
    ("/broken", Broken),
]


def make_app(**settings: Any) -> Application:
    return Application(HANDLERS, **settings)


class TestFetch(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return make_app(max_body_size=10, cancel_on_disconnect=True)

    def test_get(self) -> None:
        response = self.fetch("/")
        self.assertEqual((response.code, response.body), (200, b"hello over http"))
        self.assertEqual(response.request.url, self.get_url("/"))

    def test_the_options_of_the_client(self) -> None:
        response = self.fetch("/", method="POST", body="text", headers={"X-Y": "z"})
        self.assertEqual(response.body, b"text")

    def test_handlers_that_wait(self) -> None:
        self.assertEqual(self.fetch("/waits").body, b"waited")
        self.assertEqual(self.fetch("/yields").body, b"yielded")

    def test_a_status_is_no_error_unless_asked(self) -> None:
        self.assertEqual(self.fetch("/none").code, 404)
        with self.assertRaises(HTTPClientError) as caught:
            self.fetch("/none", raise_error=True)
        self.assertEqual(caught.exception.code, 404)

    def test_a_failing_handler(self) -> None:
        with ExpectLog("cyclone.application", "Uncaught exception") as expected:
            self.assertEqual(self.fetch("/broken").code, 500)
        self.assertTrue(expected.logged_stack)

    def test_no_connection_always_fails(self) -> None:
        sock, port = bind_unused_port()
        sock.close()
        with self.assertRaises(HTTPConnectError):
            self.fetch(f"http://127.0.0.1:{port}/")

    def test_a_whole_url(self) -> None:
        sock, port = bind_unused_port()
        second = HTTPServer(make_app())
        with sock:
            second.add_socket(sock)
        url = f"HTTP://127.0.0.1:{port}/"
        self.assertEqual(self.fetch(url).body, b"hello over http")
        second.stop()

    def test_the_settings_of_the_application_count(self) -> None:
        self.assertEqual(self.fetch("/", method="POST", body="more than ten bytes").code, 413)

    def test_a_request_that_hangs_is_cut_at_the_end(self) -> None:
        self.http_client.fetch(self.get_url("/hangs")).addErrback(lambda _: None)
        self.io_loop.run_sync(lambda: later(0.01))

    @gen_test
    async def test_coroutine(self) -> None:
        response = await self.http_client.fetch(self.get_url("/waits"))
        self.assertEqual(response.body, b"waited")

    @gen_test
    def test_generator(self) -> Generator[Any, Any, None]:
        urls = [self.get_url(path) for path in ("/", "/waits")]
        responses = yield [self.http_client.fetch(url) for url in urls]
        self.assertEqual([one.body for one in responses], [b"hello over http", b"waited"])

    @gen_test
    async def test_fetch_in_a_coroutine_says_what_to_do(self) -> None:
        await later()
        with self.assertRaisesRegex(RuntimeError, "await the operation"):
            self.fetch("/")

    def test_stop_and_wait(self) -> None:
        self.http_client.fetch(self.get_url("/")).addCallback(lambda found: self.stop(found))
        self.assertEqual(self.wait().code, 200)


class TestServerOptions(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return make_app(max_body_size=10)

    def get_httpserver_options(self) -> dict[str, Any]:
        return {"max_body_size": 100, "xheaders": True}

    def test_they_go_before_the_settings(self) -> None:
        body = "more than ten bytes"
        self.assertEqual(self.fetch("/", method="POST", body=body).code, 200)
        headers = {"X-Scheme": "https"}
        self.assertEqual(self.fetch("/", headers=headers).body, b"hello over https")


class TestTLS(AsyncHTTPSTestCase):
    def get_app(self) -> Application:
        return make_app()

    def test_get(self) -> None:
        self.assertEqual(self.get_protocol(), "https")
        self.assertEqual(self.fetch("/").body, b"hello over https")

    def test_the_certificate_can_be_checked(self) -> None:
        ca = self.get_ssl_options()["certfile"]
        response = self.fetch("/", validate_cert=True, ca_certs=ca)
        self.assertEqual(response.code, 200)


def test_what_a_test_had_is_gone_after_it() -> None:
    class Case(AsyncHTTPTestCase):
        def get_app(self) -> Application:
            return make_app()

        def test(self) -> None:
            assert isinstance(self._app, Application)
            assert isinstance(self.http_server, HTTPServer)
            self.fetch("/")

    case = Case("test")
    result = unittest.TestResult()
    case.run(result)
    assert result.wasSuccessful()
    assert not hasattr(case, "_app")
    assert not hasattr(case, "http_server")
    from twisted.internet import reactor

    assert not reactor.getWriters()
    assert not [call for call in reactor.getDelayedCalls() if call.active()]


def test_get_app_is_to_be_defined() -> None:
    result = unittest.TestResult()

    class Case(AsyncHTTPTestCase):
        def test(self) -> None:
            raise AssertionError("not reached")

    Case("test").run(result)
    assert "does not define get_app()" in result.errors[0][1]


def test_other_callbacks_can_be_served() -> None:
    def answer(request: HTTPRequest) -> None:
        request.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        request.finish()

    server = server_for(answer, max_header_count=5)
    assert isinstance(server, HTTPServer)
    assert server.options.max_header_count == 5


ASKED = [
    pytest.param({}, "gzip", id="as-tornado"),
    pytest.param({"headers": {"X": "1"}}, "gzip", id="other-headers"),
    pytest.param({"headers": HTTPHeaders({"X": "1"})}, "gzip", id="httpheaders"),
    pytest.param({"headers": [("X", "1")]}, None, id="pairs"),
    pytest.param({"headers": {"accept-Encoding": "br"}}, "br", id="named"),
    pytest.param({"use_gzip": False}, None, id="off"),
    pytest.param(
        {"decompress_response": False, "headers": {"X": "1"}}, None, id="off-with-headers"
    ),
]


@pytest.mark.parametrize(("options", "expected"), ASKED)
def test_coding_that_a_fetch_asks_for(options: dict[str, Any], expected: str | None) -> None:
    """A test that looks at Content-Encoding does not depend on what else is installed."""
    before = repr(options)
    headers = HTTPHeaders(_asks_for_gzip(options).get("headers") or {})
    assert headers.get("Accept-Encoding") == expected
    assert repr(options) == before


class TestCoding(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        class Long(RequestHandler):
            def get(self) -> None:
                self.write("x" * 5000)

        return Application([("/", Long)], compress_response=True)

    def test_gzip(self) -> None:
        response = self.fetch("/")
        self.assertEqual(response.headers["X-Consumed-Content-Encoding"], "gzip")
        self.assertNotIn("Content-Encoding", self.fetch("/", use_gzip=False).headers)


@pytest.mark.parametrize("unknown", [{"nonsense": 1}])
def test_unknown_options_are_an_error(unknown: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        server_for(make_app(), **unknown)


class TestBesideTrial(trial.TestCase):
    """Trial looks at the reactor after each of its tests."""

    def test_nothing_is_left_in_the_reactor(self) -> None:
        result = unittest.TestResult()
        for name in ("test_get", "test_coroutine", "test_a_request_that_hangs_is_cut_at_the_end"):
            TestFetch(name).run(result)
        TestTLS("test_get").run(result)
        assert result.wasSuccessful(), result.errors
