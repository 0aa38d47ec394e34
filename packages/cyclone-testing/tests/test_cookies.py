"""The cookies of the client."""

from __future__ import annotations

from http.cookies import CookieError

import pytest

from cyclone.httputil import format_timestamp
from cyclone.testing import DecodingSimpleCookie
from cyclone.testing._cookies import read_set_cookie
from cyclone.web import Application, create_signed_value

APP = Application(cookie_secret="secret")


@pytest.fixture
def jar() -> DecodingSimpleCookie:
    return DecodingSimpleCookie(APP)


@pytest.mark.parametrize(
    ("line", "name", "value", "attributes"),
    [
        ("a=b", "a", "b", {}),
        ("a=b=c; Path=/; HttpOnly", "a", "b=c", {"path": "/", "httponly": True}),
        ('a="b\\073 c"; Max-Age=5', "a", "b; c", {"max-age": "5"}),
        ("a=; SameSite=Lax; Secure; Unknown=1", "a", "", {"samesite": "Lax", "secure": True}),
        ("a=b; expires=Wed, 01 Jan 2020 00:00:00 GMT", "a", "b", {}),
    ],
)
def test_reading(line: str, name: str, value: str, attributes: dict[str, object]) -> None:
    found, morsel = read_set_cookie(line)
    assert (found, morsel.value) == (name, value)
    assert attributes.items() <= dict(morsel).items()


@pytest.mark.parametrize("line", ["", "=x", "na me=x", "path=x"])
def test_names_that_are_none_are_left_out(line: str, jar: DecodingSimpleCookie) -> None:
    with pytest.raises(CookieError):
        read_set_cookie(line)
    jar.take([line, "good=1"])
    assert list(jar) == ["good"]


# 2020 and 3000: the ids of the tests stay from run to run
PAST, FUTURE = (format_timestamp(moment) for moment in (1_577_836_800, 32_503_680_000))


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ("Max-Age=0", False),
        ("Max-Age=-1", False),
        ("Max-Age=10", True),
        (f"expires={PAST}", False),
        (f"expires={FUTURE}", True),
        (f"Max-Age=10; expires={PAST}", True),
        ("expires=nonsense", True),
        ("", True),
    ],
)
def test_expired_ones_are_forgotten(jar: DecodingSimpleCookie, attributes: str, kept: bool) -> None:
    jar["a"] = "old"
    jar.take([f"a=new; {attributes}"])
    assert ("a" in jar) == kept
    assert jar.header("/") == ("a=new" if kept else "")


@pytest.mark.parametrize(
    ("scope", "path", "sent"),
    [
        ("/", "/", True),
        ("/", "/x", True),
        ("/x", "/x", True),
        ("/x", "/x/y", True),
        ("/x/", "/x/y", True),
        ("/x", "/xy", False),
        ("/x", "/", False),
        ("", "/any", True),
    ],
)
def test_the_path_decides(jar: DecodingSimpleCookie, scope: str, path: str, sent: bool) -> None:
    jar.take([f"a=1; Path={scope}" if scope else "a=1"])
    assert bool(jar.header(path)) == sent


def test_what_a_test_sets_is_sent(jar: DecodingSimpleCookie) -> None:
    jar["a"] = "1"
    jar["b"] = "two words"
    assert jar.header("/") == 'a=1; b="two words"'


def test_signed_values(jar: DecodingSimpleCookie) -> None:
    signed = create_signed_value("secret", "user", "me").decode()
    jar.take([f'user="{signed}"; Path=/'])
    assert jar.get_secure_cookie("user") == b"me"
    assert jar.get_signed_cookie("user") == b"me"
    assert jar.get_secure_cookie("other") is None
    assert jar.get_secure_cookie("user", value=signed[:-1] + "x") is None
    assert jar.get_secure_cookie("user", max_age_days=-1) is None


def test_without_a_secret() -> None:
    jar = DecodingSimpleCookie(Application())
    jar["a"] = "1"
    with pytest.raises(KeyError):
        jar.get_secure_cookie("a")


def test_the_constructor_of_its_base(jar: DecodingSimpleCookie) -> None:
    assert DecodingSimpleCookie(APP, {"a": "1"})["a"].value == "1"
