from typing import Any

import pytest

from cyclone.web import HTTPError, RequestHandler, path_int


@pytest.mark.parametrize(
    ("text", "bounds", "number"),
    [
        ("0", {}, 0),
        ("17", {}, 17),
        ("0" * 5000 + "5", {}, 5),
        ("9223372036854775807", {}, 2**63 - 1),
        ("-5", {"low": -10}, -5),
        ("12", {"high": 12}, 12),
    ],
)
def test_numbers(text: str, bounds: dict[str, int], number: int) -> None:
    assert path_int(text, **bounds) == number


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        pytest.param("9" * 5000, {}, id="HV-16"),
        ("9223372036854775808", {}),
        ("", {}),
        (None, {}),
        ("-1", {}),
        ("--1", {"low": -5}),
        ("-9", {"low": -5}),
        ("1_0", {}),
        ("+1", {}),
        (" 1", {}),
        ("\u0663", {}),
        ("\u00b2", {}),
        ("13", {"high": 12}),
    ],
)
def test_what_is_no_number(text: str | None, bounds: dict[str, int]) -> None:
    with pytest.raises(HTTPError) as info:
        path_int(text, **bounds)
    assert info.value.status_code == 404


def test_in_a_handler(serve: Any) -> None:
    class Entry(RequestHandler):
        def get(self, number: str) -> None:
            self.write(str(path_int(number) + 1))

    client = serve([(r"/(\d+)", Entry)])
    assert client.fetch("GET", "/41").body == b"42"
    assert client.fetch("GET", "/" + "9" * 5000).status == 404
