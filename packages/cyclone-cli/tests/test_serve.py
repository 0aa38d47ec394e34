"""Applying the options to an application."""

from __future__ import annotations

import pytest

from cyclone.cli._errors import StartError
from cyclone.cli._options import RunOptions
from cyclone.cli._serve import _tls_reason, add_listener, announce, configure
from cyclone.cli._sockets import open_listeners
from cyclone.httpserver import HTTPServer
from cyclone.web import Application


class SSLError(Exception):
    """As pyOpenSSL's: a list of triples."""


def test_xheaders() -> None:
    application = Application(max_body_size=77)
    configure(application, RunOptions("x", xheaders=True))
    assert application.options.xheaders
    assert application.options.max_body_size == 77
    assert application.request_callback is application
    assert application.proxy is not None


def test_debug_and_reload() -> None:
    application = Application(serve_traceback=False)
    configure(application, RunOptions("x", debug=True, reload=True))
    settings = application.settings
    assert settings["debug"]
    assert settings["autoreload"]
    assert settings["reload_page"]
    assert not settings["compiled_template_cache"]
    assert not settings["serve_traceback"]  # the application's own word


def test_debug_of_an_application_that_is_made_already() -> None:
    ready = Application()
    configure(ready, RunOptions("x", debug=True))
    assert not ready.settings["autoreload"]
    assert ready.settings == Application(debug=True, autoreload=False).settings | {
        "log_function": ready.settings["log_function"]
    }


def test_the_application_may_refuse_the_pages_reload() -> None:
    application = Application(reload_page=False)
    configure(application, RunOptions("x", reload=True))
    assert not application.settings["reload_page"]
    application = Application()
    configure(application, RunOptions("x", debug=True))
    assert "reload_page" not in application.settings


def test_a_worker_never_restarts_itself() -> None:
    application = Application(autoreload=True)
    configure(application, RunOptions("x"), worker=1)
    assert not application.settings["autoreload"]


def test_a_server_without_settings() -> None:
    configure(HTTPServer(lambda request: None), RunOptions("x", debug=True))


def test_tls_files() -> None:
    options = RunOptions("x", ssl_port=0, ssl_cert="/none.crt")
    (listener,) = open_listeners(options)
    application = Application()
    try:
        with pytest.raises(StartError, match=r"/none\.crt|TLS needs pyOpenSSL"):
            add_listener(application, listener, options)
    finally:
        listener.close()
    assert application.ssl_options is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(2, "No such file or directory", "x"), "x: no such file or directory"),
        (
            SSLError([("PEM routines", "", "no start line"), ("SSL", "", "PEM lib")]),
            "no start line",
        ),
        (SSLError([("PEM", "", "")]), "OpenSSL does not say why"),
        (SSLError([]), "SSLError: []"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_what_is_wrong_with_a_certificate(error: Exception, reason: str) -> None:
    assert _tls_reason(error) == reason


def test_announce(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    announce("app.py", ["http://a", "unix:b"], " by 2 workers")
    assert capsys.readouterr().out == "app.py is served on http://a, unix:b by 2 workers\n"

    class Closed:
        def write(self, text: str) -> None:
            raise ValueError("closed")

        def flush(self) -> None: ...

    monkeypatch.setattr("sys.stdout", Closed())
    announce("app.py", ["http://a"])
