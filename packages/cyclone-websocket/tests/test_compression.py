"""permessage-deflate: options, negotiation from both sides, exact limits."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from websockets.headers import parse_extension

from cyclone.websocket import WebSocketError
from cyclone.websocket._compression import Deflate, DeflateOffer, accept_offer, split_options
from cyclone.websocket._errors import HandshakeError, ParseError


@pytest.mark.parametrize(
    ("offers", "options", "answer"),
    [
        (["permessage-deflate"], {}, "permessage-deflate"),
        (["permessage-deflate; client_max_window_bits"], {}, "permessage-deflate"),
        (["x-other, permessage-deflate"], {}, "permessage-deflate"),
        (["x-other", "permessage-deflate"], {}, "permessage-deflate"),
        (
            ["permessage-deflate; server_max_window_bits=10"],
            {},
            "permessage-deflate; server_max_window_bits=10",
        ),
        (
            ["permessage-deflate; server_no_context_takeover"],
            {},
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            ["permessage-deflate; server_max_window_bits=8, permessage-deflate"],
            {},
            "permessage-deflate",
        ),
        (
            ["permessage-deflate; client_max_window_bits"],
            {"server_no_context_takeover": True, "client_max_window_bits": 9},
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=9",
        ),
    ],
)
def test_offers_and_their_answers(offers: list[str], options: dict[str, Any], answer: str) -> None:
    accepted = accept_offer(offers, options)
    assert accepted is not None
    assert accepted[0] == answer


@pytest.mark.parametrize(
    "offer",
    [
        "x-webkit-deflate-frame",
        "permessage-deflate; unknown=1",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    ],
)
def test_offers_that_are_passed_over(offer: str) -> None:
    assert accept_offer([offer], {}) is None


def test_a_malformed_offer() -> None:
    with pytest.raises(HandshakeError) as caught:
        accept_offer(["permessage-deflate; ; ="], {})
    assert caught.value.status == 400


def test_options() -> None:
    options = {"compression_level": 9, "mem_level": 5, "client_max_window_bits": 10}
    assert split_options(options) == (
        {"client_max_window_bits": 10},
        {"level": 9, "memLevel": 5},
    )
    assert split_options({"compression_level": None}) == ({}, {})
    with pytest.raises(ValueError, match="threshold"):
        split_options({"threshold": 1})
    with pytest.raises(ValueError, match="between 9 and 15"):
        accept_offer(["permessage-deflate"], {"server_max_window_bits": 20})


def test_options_of_zlib_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"\w"):
        accept_offer(["permessage-deflate"], {"compression_level": 99})


def pair(server: dict[str, Any], client: dict[str, Any]) -> tuple[Deflate, Deflate]:
    offer = DeflateOffer(client)
    accepted = accept_offer([offer.header()], server)
    assert accepted is not None
    return accepted[1], offer.answer([accepted[0]])


@pytest.mark.parametrize("takeover", [True, False])
def test_both_sides_understand_each_other(takeover: bool) -> None:
    options = {
        "server_no_context_takeover": not takeover,
        "client_no_context_takeover": not takeover,
    }
    server, client = pair(options, {"compression_level": 6})
    sizes = []
    for _ in range(3):
        packed = server.compress(1, b"Hello world. Testing 123 123")
        sizes.append(len(packed))
        assert client.decompress(0xC1, packed, 100) == b"Hello world. Testing 123 123"
        packed = client.compress(2, b"\x00" * 50)
        assert server.decompress(0xC2, packed, 100) == b"\x00" * 50
    assert (sizes[1] < sizes[0]) is takeover


@pytest.mark.parametrize("takeover", [True, False])
@pytest.mark.parametrize("over", [-1, 0, 1, 2, 300, 100_000])
@pytest.mark.parametrize("size", [1000, 100_000])
def test_ws06_the_limit_is_exact(size: int, over: int, takeover: bool) -> None:
    server, client = pair({"client_no_context_takeover": not takeover}, {})
    packed = client.compress(2, b"x" * (size + over))
    if over <= 0:
        assert len(server.decompress(0xC2, packed, size)) == size + over
    else:
        with pytest.raises(ParseError) as caught:
            server.decompress(0xC2, packed, size)
        assert caught.value.code == 1009


@pytest.mark.parametrize(
    "value",
    [
        "x-other",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate; unknown",
        "permessage-deflate; server_max_window_bits=99",
        "permessage-deflate; client_max_window_bits=8",
        "; =",
    ],
)
def test_a_client_refuses_an_answer_it_did_not_ask_for(value: str) -> None:
    with pytest.raises(WebSocketError):
        DeflateOffer({}).answer([value])


def test_the_offer_and_the_answer_are_those_of_websockets() -> None:
    (name, offered), *_ = parse_extension(DeflateOffer({}).header())
    theirs, _ = ServerPerMessageDeflateFactory().process_request_params(offered, [])
    assert (name, theirs) == ("permessage-deflate", [])
    accepted = accept_offer(["permessage-deflate; client_max_window_bits"], {})
    assert accepted is not None
    (_, answered), *_ = parse_extension(accepted[0])
    ClientPerMessageDeflateFactory(client_max_window_bits=True).process_response_params(
        answered, []
    )
