"""Reading arguments: from the URL, forms and JSON."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import enum
import json
import uuid
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.web import _ARG_DEFAULT, InvalidArgumentError, RequestHandler
from cyclone.web._arguments import _clean_text, _convert

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Colour(enum.Enum):
    RED = "red"


class Typed(RequestHandler):
    types: ClassVar[dict[str, Any]] = {
        "int": int,
        "float": float,
        "bool": bool,
        "date": datetime.date,
        "uuid": uuid.UUID,
        "decimal": decimal.Decimal,
        "colour": Colour,
        "list": lambda text: text.split(","),
    }

    def get(self, kind: str) -> None:
        self.write(repr(self.get_argument("v", type=self.types[kind])))


@pytest.mark.parametrize(
    ("kind", "given_text", "value"),
    [
        ("int", "12", 12),
        ("int", "-3", -3),
        ("float", "1.5", 1.5),
        ("bool", "on", True),
        ("bool", "0", False),
        ("date", "2026-11-22", datetime.date(2026, 11, 22)),
        (
            "uuid",
            "12345678123456781234567812345678",
            uuid.UUID(int=0x12345678123456781234567812345678),
        ),
        ("decimal", "1.10", decimal.Decimal("1.10")),
        ("colour", "red", Colour.RED),
        ("list", "a,b", ["a", "b"]),
    ],
)
def test_typed_arguments(serve: Any, kind: str, given_text: str, value: object) -> None:
    response = serve([(r"/(\w+)", Typed)]).fetch("GET", f"/{kind}?v={given_text}")
    assert response.text == repr(value)


@pytest.mark.parametrize(
    ("kind", "given_text"),
    [
        ("int", "x"),
        ("int", "1.5"),
        pytest.param("int", "9" * 5000, id="HV-16-digits"),
        ("float", "nan"),
        ("float", "inf"),
        ("bool", "perhaps"),
        ("date", "2026-13-01"),
        ("uuid", "1234"),
        ("decimal", "one"),
        ("colour", "blue"),
    ],
)
def test_a_bad_value_is_a_400_that_names_the_argument(
    serve: Any, kind: str, given_text: str
) -> None:
    response = serve([(r"/(\w+)", Typed)]).fetch("GET", f"/{kind}?v={given_text}")
    assert response.status == 400
    assert "argument v" in response.text
    assert given_text not in response.text


class Echo(RequestHandler):
    def get(self) -> None:
        self.write({"last": self.get_argument("a"), "all": self.get_arguments("a")})

    def post(self) -> None:
        self.write(
            {
                "any": self.get_arguments("a"),
                "query": self.get_query_arguments("a"),
                "body": self.get_body_arguments("a"),
                "q": self.get_query_argument("a", None),
                "b": self.get_body_argument("a", None),
            }
        )


def test_the_last_value_wins(serve: Any) -> None:
    response = serve([("/", Echo)]).fetch("GET", "/?a=1&a=+2+&a=%203%20")
    assert json.loads(response.body) == {"last": "3", "all": ["1", "2", "3"]}


def test_url_and_form_are_kept_apart(serve: Any) -> None:
    response = serve([("/", Echo)]).fetch("POST", "/?a=1", headers=FORM, body="a=2")
    assert json.loads(response.body) == {
        "any": ["1", "2"],
        "query": ["1"],
        "body": ["2"],
        "q": "1",
        "b": "2",
    }


def test_a_missing_argument_is_a_400(serve: Any) -> None:
    assert serve([("/", Echo)]).fetch("GET", "/").status == 400


@pytest.mark.parametrize("path", ["/?a=%ff", "/?a=%c3%28"])
def test_bad_utf8_is_a_400(serve: Any, path: str) -> None:
    assert serve([("/", Echo)]).fetch("GET", path).status == 400


def test_a_form_that_cannot_be_read_is_a_400(serve: Any) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert serve([("/", Echo)]).fetch("POST", "/", headers=headers, body="junk").status == 400


def test_too_many_fields_are_a_400(serve: Any) -> None:
    client = serve([("/", Echo)])
    assert client.fetch("GET", "/?" + "a&" * 1001).status == 400


class Latin(RequestHandler):
    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        return value.decode("latin-1") + f"/{name}"

    def get(self, group: str) -> None:
        self.write(f"{group} {self.get_argument('a')}")


def test_decoding_can_be_overridden(serve: Any) -> None:
    assert serve([(r"/(\w+)", Latin)]).fetch("GET", "/x?a=%e9").text == "x/None é/a"


class Groups(RequestHandler):
    def prepare(self) -> None:
        self.set_header("X-Args", repr(self.path_args))
        self.set_header("X-Kwargs", repr(self.path_kwargs))

    def get(self, *args: str, **kwargs: str) -> None:
        self.write(repr((args, kwargs)))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        (r"/(\w+)/(.*)", "/a/b%20c+d", (("a", "b c+d"), {})),
        (r"/(?P<one>\w+)", "/x", ((), {"one": "x"})),
        (r"/(a)?b", "/b", ((None,), {})),
    ],
)
def test_path_groups(serve: Any, pattern: str, path: str, expected: tuple[Any, Any]) -> None:
    response = serve([(pattern, Groups)]).fetch("GET", path)
    assert response.text == repr(expected)
    assert response.headers["X-Args"] == repr(list(expected[0]))
    assert response.headers["X-Kwargs"] == repr(expected[1])


def test_bad_utf8_in_a_group_is_a_400(serve: Any) -> None:
    assert serve([(r"/(.*)", Groups)]).fetch("GET", "/%ff").status == 400


def test_get_arguments_takes_no_default(serve: Any) -> None:
    class Wrong(RequestHandler):
        def get(self) -> None:
            self.get_arguments("a", "b")  # type: ignore[arg-type]

    assert serve([("/", Wrong)]).fetch("GET", "/").status == 500


# --- JSON ---------------------------------------------------------------------------------


class Json(RequestHandler):
    def post(self) -> None:
        self.write({"got": self.get_json()})

    def put(self) -> None:
        self.write({"got": self.get_json(None, type=dict)})


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", '{"a": [1]}', 200),
        ("application/json; charset=utf-8", "[]", 200),
        ("application/problem+json", "1", 200),
        ("application/json", "{", 400),
        ("application/json", "", 400),
        ("application/json", b"\xff", 400),
        pytest.param("application/json", "[" * 100_000, 400, id="F-50-BP-19-deep"),
        pytest.param("application/json", '{"a":' * 100_000, 400, id="BP-19-deep-objects"),
        pytest.param("application/json", "9" * 5000, 400, id="BP-19-long-int"),
        pytest.param("application/json", "-" + "9" * 5000, 400, id="BP-19-long-negative"),
        pytest.param("application/json", "9" * 4000, 200, id="BP-19-int"),
        pytest.param("application/json", '{"a": NaN}', 400, id="BP-19-NaN"),
        pytest.param("application/json", "[-Infinity]", 400, id="BP-19-infinity"),
        pytest.param("application/json", '{"a": 1, "a": 2}', 200, id="BP-19-same-key"),
        pytest.param("application/json", '["\\ud800"]', 400, id="BP-19-surrogate"),
        pytest.param("application/json", '{"\\uDC00x": 1}', 400, id="BP-19-surrogate-key"),
        pytest.param("application/json", '"\\ud83d\\ude00"', 200, id="BP-19-pair"),
        pytest.param("application/json", '"\\\\ud800"', 200, id="BP-19-escaped"),
        pytest.param("application/json", b'"\xed\xa0\x80"', 400, id="BP-19-surrogate-bytes"),
        pytest.param("application/json", "\ufeff{}".encode(), 200, id="BP-19-BOM"),
        pytest.param("application/json", b"\xef\xbb\xbf" * 2 + b"1", 400, id="BP-19-two-BOMs"),
        pytest.param("application/json", "{}".encode("utf-16"), 400, id="BP-19-UTF-16"),
        pytest.param("application/json", b'"\x00"', 400, id="BP-19-NUL"),
        pytest.param("text/plain", "{}", 415, id="XS-06"),
        ("application/x-www-form-urlencoded", "a=1", 415),
        ("+json", "{}", 415),
    ],
)
def test_get_json(serve: Any, content_type: str, body: str | bytes, status: int) -> None:
    response = serve([("/", Json)]).fetch(
        "POST", "/", headers={"Content-Type": content_type}, body=body
    )
    assert response.status == status


@pytest.mark.parametrize(("body", "status"), [("{}", 200), ("[]", 400), ("", 200)])
def test_get_json_checks_the_type(serve: Any, body: str, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    assert serve([("/", Json)]).fetch("PUT", "/", headers=headers, body=body).status == status


# --- properties ---------------------------------------------------------------------------


@given(st.text())
def test_no_control_characters_are_left_but_white_space(text: str) -> None:
    cleaned = _clean_text(text)
    assert not any(character < " " and character not in "\t\n\v\f\r" for character in cleaned)
    assert len(cleaned) == len(text)


@given(st.text(max_size=30), st.sampled_from([int, float, bool, datetime.date, Colour]))
def test_conversion_gives_a_value_or_an_invalid_argument(text: str, kind: Any) -> None:
    try:
        value = _convert(kind, text, "a")
    except InvalidArgumentError:
        return
    assert value == value


@pytest.mark.parametrize("bad", ["--b\r\n\r\nv\r\n", "--b\r\nrubbish\r\n\r\nv\r\n"])
def test_a_malformed_form_is_told_of_once_BP_01(
    serve: Any, bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    """BP-01: also a form that is small enough to be read only when it is asked for."""
    caplog.set_level("DEBUG")

    class Form(RequestHandler):
        def post(self) -> None:
            for _ in range(3):
                with contextlib.suppress(Exception):
                    self.get_argument("a", None)
            self.get_body_argument("a", None)

    body = bad * (400_000 // len(bad))
    fields = {"Content-Type": "multipart/form-data; boundary=b"}
    assert serve([("/", Form)]).fetch("POST", "/", headers=fields, body=body).status == 400
    lines = [record for record in caplog.records if record.name != "cyclone.access"]
    assert len(lines) == 1
    assert lines[0].exc_info is None


def test_sources_and_defaults_of_a_program(serve: Any) -> None:
    class Handler(RequestHandler):
        def get_argument(  # type: ignore[override]
            self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True
        ) -> Any:
            return super().get_argument(name, default, strip)

        def get(self) -> None:
            source = {"a": [b" 1 ", b" 2 "]}
            one = self._get_argument("a", None, source), self._get_argument("b", "c", source)
            self.write({"one": one, "all": self._get_arguments("a", source, strip=False)})
            self.get_argument("missing")

    client = serve([("/", Handler)])
    assert client.fetch("GET", "/?missing=").json() == {"one": ["2", "c"], "all": [" 1 ", " 2 "]}
    assert client.fetch("GET", "/").code == 400
