"""Spooled bodies: memory, disk, threads."""

from __future__ import annotations

import errno
import gc
import logging
import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from http_support import Client, H, P, S
from twisted.internet.task import Clock

from cyclone.httpserver import HTTPRequest, HTTPServer
from cyclone.httpserver._body import Body, SpoolFile, spool_trouble


def upload(client: Client, body: bytes, *lines: bytes, step: int = 65536) -> None:
    head = b"".join(line + b"\r\n" for line in lines)
    client.send(P + H + head + b"Content-Length: %d\r\n\r\n" % len(body))
    for begin in range(0, len(body), step):
        client.send(body[begin : begin + step])


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


@pytest.mark.parametrize(("size", "spooled"), [(999, False), (1000, False), (1001, True)])
def test_threshold(size: int, spooled: bool) -> None:
    client = Client(spool_threshold=1000)
    body = os.urandom(size)
    upload(client, body, step=100)
    request = client.requests[0]
    assert request._body is not None
    assert (request._body._spool is not None) == spooled
    assert request.body == body
    first, second = request.body_file, request._body.open()
    assert first.read(10) == body[:10]
    assert second.read() == body
    assert first.seek(-5, os.SEEK_END) == size - 5
    assert first.read() == body[-5:]


def test_the_file_has_no_name_and_goes_away(tmp_path: Path) -> None:
    before = descriptors()
    client = Client(spool_threshold=10, spool_dir=str(tmp_path))
    upload(client, b"x" * 1000)
    assert list(tmp_path.iterdir()) == []
    assert client.requests[0].body == b"x" * 1000
    client.requests.clear()
    client.hang_up()
    del client
    gc.collect()
    assert descriptors() == before


def test_cut_upload_leaves_nothing_F19(tmp_path: Path) -> None:
    before = descriptors()
    client = Client(spool_threshold=10, spool_dir=str(tmp_path))
    client.send(P + H + b"Content-Length: 10000000\r\n\r\n" + b"x" * 600_000)
    client.hang_up()
    assert client.requests == []
    assert descriptors() == before


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    out = b""
    for name, filename, data in parts:
        extra = f'; filename="{filename}"' if filename else ""
        out += f'--B\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode()
        out += data + b"\r\n"
    return out + b"--B--\r\n"


MULTIPART = b"Content-Type: multipart/form-data; boundary=B"


class TestMultipart:
    def test_files_go_to_one_file_CN16(self) -> None:
        before = descriptors()
        big = os.urandom(300_000)
        parts = [(f"f{i}", f"{i}.bin", big) for i in range(10)]
        client = Client(spool_threshold=100_000)
        upload(client, form(("field", None, b"value"), *parts), MULTIPART)
        request = client.requests[0]
        assert request.body_arguments == {"field": [b"value"]}
        assert request.arguments == {"field": [b"value"]}
        assert len(request.files) == 10
        for i in range(10):
            (file,) = request.files[f"f{i}"]
            assert (file.filename, file.size, file.body) == (f"{i}.bin", len(big), big)
            assert file.file.read(5) == big[:5]
        assert descriptors() - before == 1
        assert request.body == b""

    @pytest.mark.parametrize("step", [7, 65536])
    def test_malformed_is_refused(self, step: int) -> None:
        client = Client(spool_threshold=10)
        body = form(("f", "x", b"data" * 100))[:-5] + b"junk\r\n" * 200
        upload(client, body, MULTIPART, step=step)
        assert client.statuses == [400]
        assert client.requests == []

    def test_too_many_parts_BP02(self) -> None:
        client = Client(spool_threshold=10)
        upload(client, form(*[("a", None, b"")] * 5000), MULTIPART)
        assert client.statuses == [400]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            pytest.param(b"--B\r\n\r\nv\r\n" * 100_000, 400, id="no-headers"),
            pytest.param(b"--B\r\nrubbish\r\n\r\nv\r\n" * 100_000, 400, id="no-colon"),
            pytest.param(form(("a", None, b"v")) + b"--B\r\n" * 2_000_000, 200, id="epilogue"),
        ],
    )
    def test_one_line_whatever_comes_BP_01(
        self, body: bytes, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """BP-01: 100 000 bad parts, 10 MB behind the end."""
        caplog.set_level(logging.DEBUG)
        client = Client()
        upload(client, body + b"--B--\r\n", MULTIPART)
        assert client.statuses == [status]
        assert len(caplog.records) == (status == 400)
        if status == 400:
            assert "Malformed HTTP message" in caplog.text
            assert client.requests == []
        else:
            assert client.requests[0].arguments == {"a": [b"v"]}

    def test_large_fields_BP12(self) -> None:
        client = Client()
        upload(client, form(("a", None, bytes(9 * 1024 * 1024))), MULTIPART)
        assert client.statuses == [413]

    @pytest.mark.parametrize("way", ["callback", "request"])
    def test_its_bytes_are_kept_for_who_wants_them_BP_20(self, way: str) -> None:
        """BP-20: said by the callback for all requests, or for one when its head is in."""
        bodies: list[bytes] = []

        class Callback:
            parses_forms = way != "callback"

            def __call__(self, request: HTTPRequest) -> None:
                bodies.append(request.body)
                assert request.files["f"][0].size == 5000
                request.connection.write_response(request, 200, None, b"", b"")

            def headers_received(self, request: HTTPRequest) -> None:
                request.parses_forms = way != "request"

        client = Client(Callback(), spool_threshold=100)
        body = form(("f", "n", bytes(5000)))
        upload(client, body, MULTIPART)
        assert client.statuses == [200]
        assert bodies == [body]

    def test_without_a_boundary_it_is_bytes(self) -> None:
        client = Client(spool_threshold=10)
        upload(client, b"x" * 1000, b"Content-Type: multipart/form-data")
        assert client.requests[0].body == b"x" * 1000


@pytest.mark.parametrize(
    ("code", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 500)]
)
@pytest.mark.parametrize("lines", [(), (MULTIPART,)], ids=["raw", "form"])
def test_disk_trouble_F09(
    code: int, status: int, lines: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if lines:
        # The form's file is made by the same module of the standard library
        def broken(*args: Any, **kwargs: Any) -> Any:
            raise OSError(code, "disk")

        monkeypatch.setattr(tempfile, "TemporaryFile", broken)
    else:

        def fail(self: SpoolFile, pieces: list[bytes]) -> None:
            raise OSError(code, "disk")

        monkeypatch.setattr(SpoolFile, "writelines", fail)
    client = Client(spool_threshold=10)
    body = form(("f", "x", bytes(700_000))) if lines else bytes(700_000)
    upload(client, body + S, *lines)
    assert client.statuses == [status]
    assert client.requests == []
    assert client.wire.closing
    monkeypatch.undo()
    other = Client(server=client.server)
    upload(other, b"x" * 700_000)
    assert other.statuses == [200]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("lines", [(), (MULTIPART,)], ids=["raw", "form"])
def test_the_space_is_free_when_the_request_is_forgotten_F09(lines: tuple[bytes, ...]) -> None:
    before = descriptors()
    gc.disable()
    try:
        client = Client(spool_threshold=10)
        upload(client, form(("f", "x", bytes(700_000))) if lines else bytes(700_000), *lines)
        assert client.statuses == [200]
        client.requests.clear()
        # Not only when the collector of cycles comes by
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        gc.enable()


def test_missing_spool_folder_F10(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(spool_threshold=10, spool_dir="/nonexistent/folder")
    with caplog.at_level(logging.INFO):
        upload(client, b"x" * 1000)
    assert client.statuses == [500]
    assert b"No such file" not in client.received
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "No such file" in caplog.text


@pytest.mark.parametrize("kind", ["missing", "file", "none"])
def test_a_bad_spool_folder_is_told_at_the_start_F10(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    folder = {"missing": tmp_path / "missing", "file": tmp_path / "file", "none": tmp_path}[kind]
    server = HTTPServer(print, reactor=Clock(), spool_dir=str(folder))
    server.doStart()
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(lines) == (kind != "none")
    assert all("cannot be stored" in line and str(folder) in line for line in lines)
    assert spool_trouble(None) is None


class Pool:
    """A thread pool whose work is done when the test says so."""

    max = 10
    working: list[None] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.work: list[Any] = []

    def callInThreadWithCallback(self, done: Any, function: Any, *args: Any) -> None:
        self.work.append((done, function, args))

    def run(self) -> None:
        done, function, args = self.work.pop(0)
        try:
            result = function(*args)
        except OSError:
            from twisted.python.failure import Failure

            done(False, Failure())  # type: ignore[no-untyped-call]
        else:
            done(True, result)


class TestThreads:
    """BP-13: the reactor does not wait for the disk, and memory does not grow."""

    def client(self) -> tuple[Client, Pool]:
        client = Client(spool_threshold=10)
        pool = Pool()
        reactor: Any = client.clock
        reactor.getThreadPool = lambda: pool
        reactor.callFromThread = lambda call, *args: call(*args)
        return client, pool

    def test_reading_pauses_while_the_disk_is_slow(self) -> None:
        client, pool = self.client()
        total = 10_000_000
        client.send(P + H + b"Content-Length: %d\r\n\r\n" % total)
        sent = 0
        while client.wire.producerState == "producing" and sent < total:
            client.send(b"x" * 65536)
            sent += 65536
        assert sent < 2_000_000
        assert client.wire.producerState == "paused"
        while sent < total or pool.work:
            if client.wire.producerState == "paused" or sent >= total:
                pool.run()
            else:
                piece = min(65536, total - sent)
                client.send(b"x" * piece)
                sent += piece
        assert client.received.endswith(b"/ 10000000")

    @pytest.mark.parametrize(
        ("busy", "writing", "waits"),
        [
            pytest.param(9, 0, True, id="a thread is free"),
            pytest.param(10, 0, False, id="all are busy"),
            pytest.param(10, 4, False, id="all are busy, some with bodies"),
            pytest.param(10, 5, True, id="most are busy with bodies"),
        ],
    )
    def test_a_full_pool_holds_up_no_body_F39(
        self, busy: int, writing: int, waits: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client, pool = self.client()
        pool.working = [None] * busy
        monkeypatch.setattr(Body, "in_threads", writing)
        upload(client, bytes(600_000))
        assert client.statuses == ([] if waits else [200])
        assert Body.in_threads == writing + len(pool.work)
        while pool.work:  # the first batch, then the rest
            pool.run()
        assert client.statuses == [200]
        assert Body.in_threads == writing

    def test_failure_while_nobody_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client, pool = self.client()

        def full(self: SpoolFile, pieces: list[bytes]) -> None:
            raise OSError(errno.ENOSPC, "disk")

        monkeypatch.setattr(SpoolFile, "writelines", full)
        client.send(P + H + b"Content-Length: 10000000\r\n\r\n" + b"x" * 600_000)
        pool.run()
        client.send(b"x")
        assert client.statuses == [507]

    def test_client_goes_while_a_write_runs(self) -> None:
        before = descriptors()
        client, pool = self.client()
        client.send(P + H + b"Content-Length: 10000000\r\n\r\n" + b"x" * 600_000)
        client.hang_up()
        pool.run()
        gc.collect()
        assert descriptors() == before
        assert client.requests == []


def test_body_by_hand() -> None:
    client = Client(spool_threshold=100)
    body = Body(HTTPRequest("POST", "/"), client.server)
    assert body.data_received(b"abc") is None
    assert body.complete() is None
    assert body.read() == b"abc"
    body.close()
    assert body.read() == b""


def test_small_pieces_are_not_kept_one_by_one() -> None:
    body = Body(HTTPRequest("POST", "/"), Client(spool_threshold=1 << 20).server)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(100_000):
            assert body.data_received(b"%02d" % (number % 100)) is None
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used < 2 * body.size
    assert body.complete() is None
    assert body.read() == b"".join(b"%02d" % number for number in range(100)) * 1000


def test_many_large_bodies_share_what_is_read_at_once() -> None:
    server = Client().server

    def body(size: int = 1 << 20) -> Body:
        request = HTTPRequest("POST", "/")
        request._length = size
        return Body(request, server)

    assert body(1000).read_size is None
    first = body()
    assert first.read_size == 1 << 20
    others = [body() for _ in range(255)]
    assert first.read_size == 1 << 18
    more = [body() for _ in range(5000)]
    assert first.read_size == 65536
    for each in (*others, *more[1:]):
        each.close()
        each.close()
    more[0].complete()
    assert first.read_size == 1 << 20
    first.complete()
    first.close()
    assert [first.read_size] == [None]  # for mypy the value cannot have changed
    assert server._large_bodies == 0


@pytest.mark.parametrize("end", ["complete", "lost", "refused"])
def test_large_bodies_are_counted_as_long_as_they_come(end: str) -> None:
    client = Client(max_body_size=900_000)
    client.send(P + H + b"Content-Length: 800000\r\n\r\n" + b"x" * 1000)
    assert client.server._large_bodies == 1
    if end == "complete":
        client.send(b"x" * 799_000)
    elif end == "lost":
        client.hang_up()
    else:
        client.advance(60)
    assert client.server._large_bodies == 0


def test_a_disk_that_takes_less_than_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    write, writev = os.write, os.writev
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:7]))
    monkeypatch.setattr(os, "writev", lambda file, pieces: writev(file, [b"".join(pieces)[:5]]))
    file = SpoolFile(None)
    pieces = [b"%d," % number for number in range(1200)]
    file.writelines(pieces)
    file.writelines([b"end"])
    data = b"".join(pieces) + b"end"
    assert file.size == len(data)
    assert file.read_at(0, len(data)) == data
    file.close()


def test_spooled_body_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(spool_threshold=1000)
    upload(client, b"0123456789" * 1000)
    sizes: list[int] = []
    read_at = SpoolFile.read_at

    def counting(self: SpoolFile, position: int, size: int) -> bytes:
        # The kernel may give less than was asked for
        sizes.append(size)
        return read_at(self, position, min(size, 6000))

    monkeypatch.setattr(SpoolFile, "read_at", counting)
    file = client.requests[0].body_file
    assert file.read() == b"0123456789" * 1000
    assert file.read() == b""
    assert sizes == [10000, 4000]
