"""The current user, and @authenticated."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from cyclone.web import RequestHandler, authenticated
from cyclone.web._errors import HTTPError
from cyclone.web._users import UsersMixin


class Handler(UsersMixin):
    """A handler without a server."""

    user: Any = None

    def __init__(self, method: str = "GET", uri: str = "/page?a=1&b=2", **settings: Any) -> None:
        settings.setdefault("login_url", "/login")
        self.application = SimpleNamespace(settings=settings)  # type: ignore[assignment]
        self.request = SimpleNamespace(  # type: ignore[assignment]
            method=method, uri=uri, full_url=lambda: "http://here.example" + uri
        )
        self.redirected: str | None = None
        self.asked = 0

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        self.redirected = url

    def get_current_user(self) -> Any:
        self.asked += 1
        return self.user

    @authenticated
    def page(self, *args: Any, **kwargs: Any) -> Any:
        """A page."""
        return args, kwargs

    @authenticated
    async def later(self) -> str:
        return "later"

    @authenticated
    def deferred(self) -> Deferred[str]:
        return succeed("deferred")


def test_the_user_is_asked_for_once() -> None:
    handler = Handler()
    handler.user = ""
    assert handler.current_user == ""
    assert handler.current_user == ""
    assert handler.asked == 1


def test_the_user_can_be_set() -> None:
    handler = Handler()
    handler.current_user = "Ben"
    assert handler.current_user == "Ben"
    handler.current_user = None
    assert handler.current_user is None
    assert handler.asked == 0


def test_nobody_by_default() -> None:
    assert UsersMixin().current_user is None


def test_an_awaitable_is_nobodys_user() -> None:
    async def look_up() -> str:
        return "Ben"

    handler = Handler()
    for user in (look_up(), succeed("Ben")):
        handler.user = user
        with pytest.raises(TypeError, match="prepare"):
            handler.page()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("login_url", "location"),
    [
        ("/login", "/login?next=%2Fpage%3Fa%3D1%26b%3D2"),
        (
            "https://sso.example/login",
            "https://sso.example/login?next=http%3A%2F%2Fhere.example%2Fpage%3Fa%3D1%26b%3D2",
        ),
        ("/login?own=1", "/login?own=1"),
    ],
    ids=["relative", "absolute", "with-query"],
)
def test_a_visitor_is_sent_to_the_login_page(method: str, login_url: str, location: str) -> None:
    handler = Handler(method, login_url=login_url)
    assert handler.page() is None
    assert handler.redirected == location


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_forbidden(method: str) -> None:
    handler = Handler(method)
    with pytest.raises(HTTPError) as caught:
        handler.page()
    assert caught.value.status_code == 403
    assert handler.redirected is None


def test_a_user_gets_through() -> None:
    handler = Handler("POST")
    handler.current_user = "Ben"
    assert handler.page(1, b=2) == ((1,), {"b": 2})
    assert Handler.page.__doc__ == "A page."


def test_async_and_deferred_methods() -> None:
    handler = Handler()
    assert handler.later() is None
    assert handler.deferred() is None
    handler.current_user = "Ben"
    with pytest.raises(StopIteration) as caught:
        handler.later().send(None)
    assert caught.value.value == "later"
    assert handler.deferred().result == "deferred"


def test_the_login_url_must_be_set() -> None:
    with pytest.raises(Exception, match="login_url"):
        Handler(login_url=None).page()


# --- in an application -----------------------------------------------------------------------


def test_in_an_application(serve: Callable[..., Any]) -> None:
    class Page(RequestHandler):
        async def prepare(self) -> None:
            # As from a database.
            self.current_user = await succeed(self.get_argument("as", None))

        @authenticated
        async def get(self) -> None:
            self.write(f"hello {await succeed(self.current_user)}")

        @authenticated
        def post(self) -> Deferred[None]:
            return succeed(None)

    client = serve([("/page", Page)], login_url="/login")
    response = client.fetch(uri="/page?x=%2F")
    assert (response.status, response.headers["Location"]) == (
        302,
        "/login?next=%2Fpage%3Fx%3D%252F",
    )
    assert client.fetch("HEAD", "/page").status == 405
    assert client.fetch("POST", "/page", body="").status == 403
    assert client.fetch("POST", "/page?as=Ben", body="").status == 200
    assert client.fetch(uri="/page?as=Ben").text == "hello Ben"


def test_an_absolute_login_url_gets_an_absolute_next(serve: Callable[..., Any]) -> None:
    class Page(RequestHandler):
        @authenticated
        def get(self) -> None:
            pass

    client = serve([("/page", Page)], login_url="https://sso.example/login")
    location = client.fetch(uri="/page?x=1").headers["Location"]
    assert location == "https://sso.example/login?next=http%3A%2F%2Fexample.com%2Fpage%3Fx%3D1"
