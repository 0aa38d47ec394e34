"""What can be a body, and how it is sent."""

from __future__ import annotations

from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from httpclient_support import failure, new_client, ok, reactor_test, redirect, serving
from twisted.web.client import FileBodyProducer

from cyclone.httpclient._body import (
    FileBody,
    IteratorBody,
    ProducerBody,
    TwistedBody,
    open_body,
    to_body,
)


async def agen() -> Any:
    yield b"a"
    yield b""
    yield b"bc"


class Again:
    """Makes a new iterator each time."""

    def __iter__(self) -> Any:
        return iter([b"a", b"bc"])


def producer() -> Any:
    return FileBodyProducer(BytesIO(b"abc"))  # type: ignore[no-untyped-call]


FORMS: list[tuple[str, Any, str | None]] = [
    # name, how to make it, the Content-Length or None for chunked
    ("bytes", lambda: b"abc", "3"),
    ("str", lambda: "abc", "3"),
    ("bytearray", lambda: bytearray(b"abc"), "3"),
    ("memoryview", lambda: memoryview(b"abc"), "3"),
    ("list", lambda: [b"a", b"bc"], "3"),
    ("file", lambda: BytesIO(b"abc"), "3"),
    ("iterator", lambda: iter([b"a", b"", b"bc"]), None),
    ("iterable", Again, None),
    ("async", agen, None),
    ("twisted", producer, "3"),
]


@pytest.mark.parametrize("form", FORMS, ids=[form[0] for form in FORMS])
@reactor_test
async def test_forms(form: tuple[str, Any, str | None]) -> None:
    _, make, length = form
    async with serving(ok()) as server, new_client() as client:
        await client.fetch(server.url, method="POST", body=make())
        request = server.requests[0]
        assert request.body == b"abc"
        assert request.header("Content-Length") == length
        assert request.header("Transfer-Encoding") == (None if length else "chunked")
        # expected after 100 Continue
        server.on_expect = b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.fetch(server.url, method="PUT", body=make(), expect_100_continue=True)
        assert server.requests[1].body == b"abc"


@reactor_test
async def test_a_file_from_where_it_stands_also_the_second_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 200_000)
    async with serving(ok()) as server, new_client() as client:
        server.answer = lambda got: redirect("/b", "307 T") if got.target == "/a" else ok()
        with path.open("rb") as file:
            file.seek(100_000)
            await client.fetch(server.url + "/a", method="PUT", body=file)
        assert [len(request.body) for request in server.requests] == [100_000] * 2


@pytest.mark.parametrize(
    "body", [StringIO("text"), iter(["text"]), iter([1])], ids=["text-file", "str", "int"]
)
@reactor_test
async def test_CL_20_pieces_that_are_not_bytes(body: Any) -> None:
    async with serving(ok()) as server, new_client(max_clients=1) as client:
        await failure(client.fetch(server.url, method="POST", body=body), TypeError)
        assert (await client.fetch(server.url)).body == b"ok"


class NoSeek:
    def read(self, size: int = -1) -> bytes:
        return b""


def test_rewinding() -> None:
    cases: list[tuple[Any, type, bool]] = [
        (BytesIO(b"x"), FileBody, True),
        (NoSeek(), FileBody, False),
        (iter([b"x"]), IteratorBody, False),
        (agen(), IteratorBody, False),
        (Again(), IteratorBody, True),
        (producer(), TwistedBody, False),
    ]
    for value, kind, can in cases:
        body: Any = open_body(to_body(value), None)
        assert (type(body), body.rewind()) == (kind, can)
    assert isinstance(open_body(None, print), ProducerBody)
    assert open_body(None, None) is None


@pytest.mark.parametrize("value", [42, object(), 1.5])
def test_what_is_no_body(value: object) -> None:
    with pytest.raises(TypeError, match="body"):
        to_body(value)
