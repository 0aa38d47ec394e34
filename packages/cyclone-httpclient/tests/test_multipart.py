"""files=: forms as a server reads them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from httpclient_support import new_client, ok, reactor_test, redirect, serving

from cyclone.httpclient._multipart import MultipartFile, encode_multipart
from cyclone.httputil import HTTPFile, parse_body_arguments


def parse(kind: str, body: bytes) -> tuple[dict[str, list[bytes]], dict[str, list[HTTPFile]]]:
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    parse_body_arguments(kind, body, arguments, files)
    return arguments, files


def test_fields_only_are_bytes() -> None:
    kind, body = encode_multipart([("a", "1"), ("a", "\u00fc"), ("b", b"2\r\n--")])
    assert isinstance(body, bytes)
    arguments, files = parse(kind, body)
    assert arguments == {"a": [b"1", b"\xc3\xbc"], "b": [b"2\r\n--"]}
    assert files == {}


@reactor_test
async def test_files_are_streamed_and_sent_again(tmp_path: Path) -> None:
    path = tmp_path / 'na"me.txt'
    path.write_bytes(b"x" * 150_000)
    async with serving(ok()) as server, new_client() as client:
        server.answer = lambda got: redirect("/b", "307 T") if got.target == "/a" else ok()
        with path.open("rb") as file:
            files: dict[str, Any] = {
                "field": "value",
                "one": file,
                "two": ("t\u00fc.bin", b"data"),
                "three": ("x.weird", BytesIO(b"more"), "text/x; a=b"),
            }
            await client.fetch(server.url + "/a", files=files)
        assert len(server.requests) == 2
        for request in server.requests:
            assert request.method == "POST"
            assert request.header("Content-Length") == str(len(request.body))
            arguments, parsed = parse(request.header("Content-Type") or "", request.body)
            assert arguments == {"field": [b"value"]}
            assert len(parsed["one"][0].body) == 150_000
            assert parsed["one"][0].content_type == "text/plain"
            assert parsed["two"][0].filename == "t\u00fc.bin"
            assert parsed["two"][0].content_type == "application/octet-stream"
            assert (parsed["three"][0].body, parsed["three"][0].content_type) == (
                b"more",
                "text/x; a=b",
            )


def test_CL_01_names_cannot_break_out() -> None:
    _kind, body = encode_multipart({'a"\r\nX: y\r\n\r\n': ('f"\r\nZ: w', "content")})
    assert isinstance(body, bytes)
    assert b"\r\nX: y" not in body
    assert b"\r\nZ: w" not in body
    assert body.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"a": 42}, TypeError),
        ({"a": ("name", None)}, TypeError),
        ({"a": ("name", "x", "text/plain\r\nX: y")}, ValueError),
        ({"a\0": "x"}, ValueError),
    ],
)
def test_refused(files: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        encode_multipart(files)


class Pipe:
    def __init__(self) -> None:
        self.left = b"data"

    def read(self, size: int = -1) -> bytes:
        data, self.left = self.left, b""
        return data


def test_a_file_that_cannot_seek() -> None:
    kind, body = encode_multipart(cast(Any, {"a": ("n", Pipe())}))
    assert isinstance(body, MultipartFile)
    with pytest.raises(OSError, match="seek"):
        body.seek(0)
    _, files = parse(kind, b"".join(body))
    assert files["a"][0].body == b"data"
