"""Content codings: right, bounded, and strict at the end (CL-08, CL-11)."""

from __future__ import annotations

import contextlib
import gzip
import importlib
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclone.httpclient._decoding import STEP, DecodingError, accept_encoding, make_decoder

CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate-raw": lambda data: zlib.compress(data, wbits=-15),
    "gzip-members": lambda data: gzip.compress(data[:5]) + gzip.compress(data[5:]),
    "gzip, deflate": lambda data: zlib.compress(gzip.compress(data)),
}
for extra, module in (("br", "brotli"), ("zstd", "backports.zstd"), ("zstd", "compression.zstd")):
    if extra in accept_encoding():
        with contextlib.suppress(ImportError):
            CODERS[extra] = importlib.import_module(module).compress


def name_of(coder: str) -> str:
    return {"deflate-raw": "deflate", "gzip-members": "gzip"}.get(coder, coder)


def decode(name: str, segments: list[bytes]) -> list[bytes]:
    decoder = make_decoder(name)
    assert decoder is not None
    pieces = [piece for segment in segments for piece in decoder.feed(segment)]
    decoder.finish()
    return pieces


DATA = b"hello world " * 30_000


@pytest.mark.parametrize("coder", CODERS)
def test_round_trip_in_steps(coder: str) -> None:
    coded = CODERS[coder](DATA)
    for size in (len(coded), 1, 1000):
        segments = [coded[index : index + size] for index in range(0, len(coded), size)]
        pieces = decode(name_of(coder), segments)
        assert b"".join(pieces) == DATA
        assert max(map(len, pieces)) <= STEP * 2


@pytest.mark.parametrize("coder", CODERS)
def test_CL_08_a_bomb_goes_off_slowly(coder: str) -> None:
    coded = CODERS[coder](b"0" * 50_000_000)
    decoder = make_decoder(name_of(coder))
    assert decoder is not None
    pieces = decoder.feed(coded)
    for _ in range(5):
        assert len(next(pieces)) <= STEP * 2


@pytest.mark.parametrize("coder", CODERS)
def test_CL_11_cut_short(coder: str) -> None:
    coded = CODERS[coder](DATA)
    for length in (1, len(coded) // 2, len(coded) - 1):
        with pytest.raises(DecodingError):
            decode(name_of(coder), [coded[:length]])


@pytest.mark.parametrize("coder", CODERS)
def test_damaged_or_followed_by_junk(coder: str) -> None:
    with pytest.raises(DecodingError):
        decode(name_of(coder), [b"\xffjunkjunkjunk"])
    with pytest.raises(DecodingError):
        decode(name_of(coder), [CODERS[coder](DATA), b"\xffjunkjunkjunk"])


@pytest.mark.parametrize("coder", CODERS)
def test_nothing_at_all(coder: str) -> None:
    assert decode(name_of(coder), []) == []
    assert b"".join(decode(name_of(coder), [CODERS[coder](b"")])) == b""


def test_what_is_not_a_coding() -> None:
    for name in ("identity", "", ",", "unknown", "gzip, unknown", "aws-chunked"):
        assert make_decoder(name) is None
    with pytest.raises(DecodingError):
        make_decoder("gzip, gzip, gzip")


def test_offered() -> None:
    assert accept_encoding().startswith("gzip")


@settings(max_examples=30)
@given(st.binary(max_size=2000), st.integers(1, 100))
def test_any_data_in_any_pieces(data: bytes, size: int) -> None:
    coded = gzip.compress(data)
    segments = [coded[index : index + size] for index in range(0, len(coded), size)]
    assert b"".join(decode("gzip", segments)) == data


@given(st.binary(max_size=200))
def test_any_noise(noise: bytes) -> None:
    for coder in CODERS:
        with contextlib.suppress(DecodingError):
            decode(name_of(coder), [noise])


@pytest.mark.skipif("zstd" not in CODERS, reason="zstd is not installed")
def test_CL_08_many_zstd_frames_of_nothing_are_refused() -> None:
    """A frame to be skipped is 8 bytes, and as much work as one of 100 KB."""
    skipped = b"\x50\x2a\x4d\x18\x00\x00\x00\x00"
    some = CODERS["zstd"](b"some")
    assert b"".join(decode("zstd", [(skipped * 50 + some) * 20])) == b"some" * 20
    for frame in (skipped, CODERS["zstd"](b"")):
        with pytest.raises(DecodingError, match="empty frames"):
            decode("zstd", [frame * 8000])
