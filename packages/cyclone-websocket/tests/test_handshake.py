"""The opening handshake as plain functions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ws_support import ACCEPT, HANDSHAKE, KEY

from cyclone.httputil import HTTPHeaders
from cyclone.websocket import WebSocketError
from cyclone.websocket import _handshake as handshake
from cyclone.websocket._errors import HandshakeError


def headers(**changes: str | list[str] | None) -> HTTPHeaders:
    fields = HTTPHeaders(HANDSHAKE)
    for name, value in changes.items():
        field = name.replace("_", "-")
        fields.pop(field, None)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                fields.add(field, one)
    return fields


def check(method: str, version: str, fields: HTTPHeaders) -> str:
    handshake.check_upgrade(method, version, fields)
    handshake.check_version(fields)
    return handshake.check_key(fields)


def test_the_example_of_the_rfc() -> None:
    assert handshake.compute_accept_value(KEY) == ACCEPT
    assert handshake.compute_accept_value(KEY.encode()) == ACCEPT


def test_keys_are_random() -> None:
    assert len({handshake.new_key() for _ in range(50)}) == 50
    assert handshake.check_key(headers(Sec_WebSocket_Key=handshake.new_key()))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(headers(), id="plain"),
        pytest.param(headers(Upgrade="WebSocket"), id="upper case"),
        pytest.param(headers(Connection="keep-alive, Upgrade"), id="list"),
        pytest.param(headers(Connection=["keep-alive", "upgrade"]), id="two fields"),
    ],
)
def test_good_requests(fields: HTTPHeaders) -> None:
    assert check("GET", "HTTP/1.1", fields) == KEY


@pytest.mark.parametrize(
    ("method", "version", "fields", "status"),
    [
        pytest.param("POST", "HTTP/1.1", headers(), 400, id="WS-02 POST"),
        pytest.param("HEAD", "HTTP/1.1", headers(), 400, id="WS-02 HEAD"),
        pytest.param("GET", "HTTP/1.0", headers(), 400, id="WS-02 HTTP/1.0"),
        *(
            pytest.param("GET", "HTTP/1.1", headers(**changes), status, id=f"WS-02 {name}")
            for name, changes, status in (
                ("no Upgrade", {"Upgrade": None}, 400),
                ("other Upgrade", {"Upgrade": "h2c"}, 400),
                ("list of Upgrade", {"Upgrade": "h2c, websocket"}, 400),
                ("two Upgrades", {"Upgrade": ["websocket", "websocket"]}, 400),
                ("no Connection", {"Connection": None}, 400),
                ("other Connection", {"Connection": "keep-alive"}, 400),
                ("Connection that only contains it", {"Connection": "xupgrade"}, 400),
                ("no key", {"Sec_WebSocket_Key": None}, 400),
                ("empty key", {"Sec_WebSocket_Key": ""}, 400),
                ("key of 15 bytes", {"Sec_WebSocket_Key": "MTIzNDU2Nzg5MDEyMzQ1"}, 400),
                ("key of 17 bytes", {"Sec_WebSocket_Key": "MTIzNDU2Nzg5MDEyMzQ1Njc="}, 400),
                ("key not base64", {"Sec_WebSocket_Key": "!" * 24}, 400),
                ("key not ASCII", {"Sec_WebSocket_Key": "é" * 24}, 400),
                ("two keys", {"Sec_WebSocket_Key": [KEY, KEY]}, 400),
                ("no version", {"Sec_WebSocket_Version": None}, 426),
                ("version 7", {"Sec_WebSocket_Version": "7"}, 426),
                ("version 8", {"Sec_WebSocket_Version": "8"}, 426),
                ("version 12", {"Sec_WebSocket_Version": "12"}, 426),
                ("version 0x0d", {"Sec_WebSocket_Version": "0x0d"}, 426),
                ("version 13, 8", {"Sec_WebSocket_Version": "13, 8"}, 426),
                ("two versions", {"Sec_WebSocket_Version": ["13", "13"]}, 426),
            )
        ),
    ],
)
def test_bad_requests(method: str, version: str, fields: HTTPHeaders, status: int) -> None:
    with pytest.raises(HandshakeError) as caught:
        check(method, version, fields)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        (["chat"], ["chat"]),
        (["chat, superchat"], ["chat", "superchat"]),
        (["chat", "superchat,v1.x"], ["chat", "superchat", "v1.x"]),
        ([", chat ,"], ["chat"]),
    ],
)
def test_subprotocols_offered(values: list[str], expected: list[str]) -> None:
    fields = headers(Sec_WebSocket_Protocol=values)
    assert handshake.offered_subprotocols(fields) == expected


@pytest.mark.parametrize("value", ["chat chat", "a, a", "a;b", 'a"', "é"])
def test_malformed_subprotocols(value: str) -> None:
    with pytest.raises(HandshakeError):
        handshake.offered_subprotocols(headers(Sec_WebSocket_Protocol=value))


def test_what_a_client_may_offer() -> None:
    handshake.check_subprotocols(["a", "b"])
    with pytest.raises(ValueError, match="no name"):
        handshake.check_subprotocols(["a b"])
    with pytest.raises(ValueError, match="twice"):
        handshake.check_subprotocols(["a", "a"])
    with pytest.raises(TypeError):
        handshake.check_subprotocols("chat")


def answer(**changes: str | list[str] | None) -> HTTPHeaders:
    return headers(Sec_WebSocket_Accept=ACCEPT, **changes)


def test_a_good_answer() -> None:
    handshake.check_answer(answer(), KEY)
    handshake.check_answer(answer(Upgrade="WebSocket", Connection="a, upgrade"), KEY)


@pytest.mark.parametrize(
    "fields",
    [
        answer(Upgrade=None),
        answer(Upgrade="h2c"),
        answer(Connection=None),
        headers(),
        headers(Sec_WebSocket_Accept="x"),
        headers(Sec_WebSocket_Accept=[ACCEPT, ACCEPT]),
    ],
)
def test_bad_answers(fields: HTTPHeaders) -> None:
    with pytest.raises(WebSocketError):
        handshake.check_answer(fields, KEY)


@pytest.mark.parametrize(
    ("values", "offered", "expected"),
    [([], ["a"], None), (["a"], ["a", "b"], "a"), ([], [], None)],
)
def test_ws16_the_subprotocol_chosen(
    values: list[str], offered: list[str], expected: str | None
) -> None:
    fields = answer(Sec_WebSocket_Protocol=values)
    assert handshake.chosen_subprotocol(fields, offered) == expected


@pytest.mark.parametrize(
    ("values", "offered"), [(["c"], ["a"]), (["a"], []), (["a", "a"], ["a"]), (["a, b"], ["a"])]
)
def test_ws16_a_subprotocol_that_was_not_offered(values: list[str], offered: list[str]) -> None:
    with pytest.raises(WebSocketError):
        handshake.chosen_subprotocol(answer(Sec_WebSocket_Protocol=values), offered)


HEADER_CHARS = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


@given(st.dictionaries(st.sampled_from(sorted(HANDSHAKE)), st.text(HEADER_CHARS, max_size=40)))
def test_any_fields_are_accepted_or_refused(fields: dict[str, str]) -> None:
    functions: list[Callable[[HTTPHeaders], Any]] = [
        lambda made: check("GET", "HTTP/1.1", made),
        handshake.offered_subprotocols,
    ]
    made = HTTPHeaders({name: value.strip() for name, value in fields.items()})
    for function in functions:
        with contextlib.suppress(HandshakeError):
            function(made)
