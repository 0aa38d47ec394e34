"""Names and spellings; the behaviour of each pair is in test_fetch."""

from __future__ import annotations

import pytest

from cyclone.httpclient import HTTPRequest, RequestOptions
from cyclone.httpclient._options import ALIASES, DEFAULTS, NAMES, canonical


def test_each_alias_stands_for_an_option() -> None:
    assert set(ALIASES.values()) <= NAMES | {"body"}
    assert set(DEFAULTS) <= NAMES
    assert set(ALIASES) | {"proxy"} <= set(RequestOptions.__annotations__)


def test_every_option_is_an_attribute_of_a_request() -> None:
    request = HTTPRequest("http://h/")
    for name in NAMES - {"if_modified_since", "prepare_curl_callback"}:
        assert getattr(request, name) is None


def test_canonical() -> None:
    given = {"timeout": 3, "proxy": ("h", 1), "user_agent": None, "json": None}
    assert canonical(given) == {
        "connect_timeout": 3,
        "proxy_host": "h",
        "proxy_port": 1,
        "json": None,
    }


@pytest.mark.parametrize("value", [None, 1])
def test_unknown_names(value: object) -> None:
    with pytest.raises(TypeError, match="'colour'"):
        canonical({"colour": value})


def test_curl_only() -> None:
    with pytest.raises(ValueError, match="curl"):
        canonical({"prepare_curl_callback": print})
