import sys
import zlib

import pytest

from cyclone.web._transforms_codecs import Codec, GzipCodec, available_codecs


def test_gzip() -> None:
    codec = GzipCodec(6)
    pieces = [codec.piece(b"one", False), codec.piece(b"two", False), codec.piece(b"", True)]
    reader = zlib.decompressobj(31)
    assert reader.decompress(pieces[0]) == b"one"
    assert reader.decompress(pieces[1]) == b"two"
    reader.decompress(pieces[2])
    assert reader.eof


# What the extra `zstd` brings is part of the standard library since 3.14
ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


@pytest.mark.parametrize(("coding", "module"), [("br", "brotli"), ("zstd", ZSTD)])
def test_codecs_with_extras(coding: str, module: str) -> None:
    library = pytest.importorskip(module)
    codec: Codec = available_codecs()[coding](6)
    pieces = [codec.piece(b"one" * 500, False), codec.piece(b"two", True)]
    whole = b"".join(pieces)
    if coding == "br":
        assert library.decompress(whole) == b"one" * 500 + b"two"
    else:
        reader = library.ZstdDecompressor()
        assert reader.decompress(pieces[0]) == b"one" * 500
        assert reader.decompress(pieces[1]) == b"two"


def test_without_the_extras_there_is_gzip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    available_codecs.cache_clear()
    try:
        assert list(available_codecs()) == ["gzip"]
    finally:
        available_codecs.cache_clear()
