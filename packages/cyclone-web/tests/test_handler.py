"""RequestHandler as a whole, and ErrorHandler."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from unittest.mock import Mock

import pytest

from cyclone.httpserver import HTTPRequest
from cyclone.web import Application, ErrorHandler, HTTPError, RequestHandler


def test_no_mixin_hides_a_method_of_another() -> None:
    owners: dict[str, list[str]] = defaultdict(list)
    for cls in RequestHandler.__mro__[:-2]:
        for name, value in vars(cls).items():
            if not name.startswith("__") and callable(value):
                owners[name].append(cls.__name__)
    assert {name: classes for name, classes in owners.items() if len(classes) > 1} == {}


def test_the_api_of_tornado_and_cyclone() -> None:
    names = """add_header async_callback check_etag_header check_trusted_origin check_xsrf_cookie
    clear clear_all_cookies clear_cookie clear_header compute_etag cookies create_signed_value
    create_template_loader current_user data_received decode_argument default delete detach finish
    flush get get_argument get_arguments get_body_argument get_body_arguments get_browser_locale
    get_cookie get_current_user get_login_url get_query_argument get_query_arguments
    get_secure_cookie get_secure_cookie_key_version get_signed_cookie
    get_signed_cookie_key_version get_status get_template_namespace get_template_path
    get_user_locale head initialize locale log_exception no_keep_alive notifyFinish
    on_connection_close on_finish options patch post prepare put redirect render render_embed_css
    render_embed_js render_linked_css render_linked_js render_string render_string_async
    require_setting reverse_url send_error serialize_lists set_cookie set_default_headers
    set_etag_header set_header set_headers set_secure_cookie set_signed_cookie set_status settings
    static_url SUPPORTED_METHODS write write_error xsrf_cookie_name xsrf_form_html xsrf_token
    get_json ui"""
    assert [name for name in names.split() if not hasattr(RequestHandler, name)] == []


def test_a_handler_made_by_hand() -> None:
    application = Application([], a_setting=1)
    handler = RequestHandler(application, HTTPRequest("GET", "/"))
    assert handler.settings is application.settings
    assert handler.get_status() == 200
    for arguments in (handler.path_args, handler.path_kwargs):
        assert not isinstance(arguments, list | dict)
    handler.set_header("X-A", "1")
    handler.write("x")
    handler.clear()
    assert "X-A" not in handler._headers
    assert handler._write_buffer == []


def test_a_handler_of_stand_ins() -> None:
    handler = RequestHandler(Mock(), Mock())
    assert set(handler._headers) == {"Server", "Content-Type", "Date"}
    assert handler.prepare() is None
    handler.request.arguments = {"a": [b"1", b"2"]}
    assert handler.get_argument("a") == "2"
    handler.set_header("X-A", "1")
    handler.write("x")
    handler.flush()
    assert handler.request.connection.write_headers.call_count == 1  # type: ignore[attr-defined]
    for method in ("get", "post", "default"):
        with pytest.raises(HTTPError):
            getattr(handler, method)()


def test_require_setting() -> None:
    handler = RequestHandler(Application([], there=1), HTTPRequest("GET", "/"))
    handler.require_setting("there")
    with pytest.raises(Exception, match=r"'missing' setting .* to use this feature"):
        handler.require_setting("missing")


def test_initialize_gets_the_keywords(serve: Any) -> None:
    class Initialized(RequestHandler):
        def initialize(self, database: str, **more: Any) -> None:
            self.database = (database, more)

        def get(self) -> None:
            self.write(repr(self.database))

    client = serve([("/", Initialized, {"database": "db", "more": 1})])
    assert client.fetch("GET", "/").text == "('db', {'more': 1})"


def test_reverse_url(serve: Any) -> None:
    class Reversing(RequestHandler):
        def get(self, *args: str) -> None:
            self.write(self.reverse_url("named", "a"))

    client = serve([(r"/x/(.*)", Reversing, {}, "named")])
    assert client.fetch("GET", "/x/y").text == "/x/a"


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["XS-07-origin", "XS-07-cross-site"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_error_handler(serve: Any, method: str, headers: dict[str, str]) -> None:
    client = serve(
        [("/", ErrorHandler, {"status_code": 410})],
        xsrf_cookies=True,
        cross_origin_protection=True,
        cookie_secret="0" * 32,
    )
    body = None if method == "GET" else ""
    assert client.fetch(method, "/", body=body, headers=headers).status == 410


@pytest.mark.parametrize("hook", ["initialize", "set_default_headers", "on_finish"])
def test_a_hook_nothing_waits_for_must_not_be_async(
    serve: Any, caplog: pytest.LogCaptureFixture, hook: str
) -> None:
    async def waits(self: object) -> None:
        raise AssertionError("this must not run")

    async_hook = type("AsyncHook", (RequestHandler,), {hook: waits, "get": lambda self: None})
    assert serve([("/", async_hook)]).fetch("GET", "/").status == 200
    (record,) = [each for each in caplog.records if each.name == "cyclone.application"]
    assert f"AsyncHook.{hook}() is async" in record.getMessage()


def test_a_hook_may_return_something_else(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Returning(RequestHandler):
        def initialize(self) -> None:
            return 1  # type: ignore[return-value]

        def get(self) -> None:
            pass

    assert serve([("/", Returning)]).fetch("GET", "/").status == 200
    assert not [each for each in caplog.records if each.name == "cyclone.application"]
