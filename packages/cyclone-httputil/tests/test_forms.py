"""FormReceiver: fields in memory, large files on disk, nothing left behind."""

import gc
import io
import os
import tempfile
import threading
import tracemalloc
from pathlib import Path
from typing import BinaryIO

import pytest

from cyclone.httputil import FormReceiver, HTTPFile, HTTPInputError, MultipartLimits
from cyclone.httputil._forms import temporary_file

END = b"--b--\r\n"


def field(name: str, value: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (
        name.encode(),
        value,
    )


def upload(name: str, value: bytes) -> bytes:
    return (
        b'--b\r\nContent-Disposition: form-data; name="%b"; filename="%b.bin"\r\n'
        b"Content-Type: a/b\r\n\r\n%b\r\n" % (name.encode(), name.encode(), value)
    )


class Files:
    """A file factory that remembers what it made."""

    def __init__(self) -> None:
        self.made: list[io.BytesIO] = []

    def __call__(self) -> BinaryIO:
        self.made.append(io.BytesIO())
        return self.made[-1]


def receive(receiver: FormReceiver, data: bytes, size: int = 1000) -> FormReceiver:
    for start in range(0, len(data), size):
        receiver.feed(data[start : start + size])
    receiver.finish()
    return receiver


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_fields_and_files(size: int) -> None:
    files = Files()
    data = (
        field("a", b"1") + field("a", b"") + upload("small", b"s" * 50) + field("b", b"2" * 500)
        + upload("large", b"l" * 500) + upload("large", b"m" * 300) + upload("last", b"t" * 20)
        + END
    )  # fmt: skip
    form = receive(FormReceiver("b", spool_threshold=100, file_factory=files), data, size)
    assert form.arguments == {"a": [b"1", b""], "b": [b"2" * 500]}
    assert sorted(form.files) == ["large", "last", "small"]
    bodies = [file.body for name in ("small", "large", "last") for file in form.files[name]]
    assert bodies == [b"s" * 50, b"l" * 500, b"m" * 300, b"t" * 20]
    first = form.files["large"][0]
    assert (first.filename, first.content_type, first.size) == ("large.bin", "a/b", 500)
    assert [file.spooled for file in form.files["large"]] == [True, True]
    assert not form.files["small"][0].spooled
    # CN-16: one descriptor, however many parts went to disk
    assert len(files.made) == 1


def test_the_threshold_counts_all_files_together() -> None:
    for below in (True, False):
        files = Files()
        limit = 100 if below else 99
        data = upload("a", b"x" * 50) + upload("b", b"y" * 50) + END
        form = receive(FormReceiver("b", spool_threshold=limit, file_factory=files), data)
        assert form.files["b"][0].spooled is not below
        assert len(files.made) == (0 if below else 1)


def test_no_threshold_keeps_all_in_memory() -> None:
    form = receive(FormReceiver("b", spool_threshold=None), upload("a", b"x" * 5_000_000) + END)
    assert not form.files["a"][0].spooled
    assert form.files["a"][0].size == 5_000_000


def spooled(*contents: bytes) -> list[HTTPFile]:
    data = b"".join(upload("f", content) for content in contents) + END
    return receive(FormReceiver("b", spool_threshold=0), data).files["f"]


def test_spooled_files_are_files() -> None:
    one, two = spooled(b"0123456789", b"abcdefghij" * 10_000)
    assert one.file.read(3) == b"012"
    assert two.file.read(3) == b"abc"
    assert one.file.read() == b"3456789"
    assert one.file.read() == b""
    one.file.seek(-2, os.SEEK_END)
    assert one.file.read() == b"89"
    one.file.seek(1)
    one.file.seek(1, os.SEEK_CUR)
    assert (one.file.tell(), one.file.read(1)) == (2, b"2")
    assert (one.file.readable(), one.file.seekable(), one.file.writable()) == (True, True, False)
    one.file.seek(1000)
    assert one.file.read() == b""
    with pytest.raises(ValueError, match="negative"):
        one.file.seek(-1)
    assert two.body == b"abcdefghij" * 10_000
    assert two.size == 100_000


def test_spooled_files_can_be_saved_in_threads(tmp_path: Path) -> None:
    contents = [bytes([number]) * 300_000 for number in range(4)]
    threads = [
        threading.Thread(target=file.save, args=(tmp_path / str(number),))
        for number, file in enumerate(spooled(*contents))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(tmp_path / str(number)).read_bytes() for number in range(4)] == contents


def test_the_spool_outlives_the_receiver_and_not_its_files() -> None:
    files = Files()
    receiver = FormReceiver("b", spool_threshold=0, file_factory=files)
    uploads = receive(receiver, upload("f", b"1") + upload("f", b"2") + END).files.pop("f")
    del receiver
    gc.collect()
    assert [file.body for file in uploads] == [b"1", b"2"]
    uploads[0].close()
    assert uploads[1].body == b"2"
    del uploads
    gc.collect()
    assert files.made[0].closed


@pytest.mark.parametrize("end", ["close", "bad", "cut", "limit"])
def test_an_incomplete_form_leaves_nothing(end: str) -> None:
    files = Files()
    limits = MultipartLimits(max_part_size=1000)
    receiver = FormReceiver("b", limits, spool_threshold=10, file_factory=files)
    receiver.feed(field("a", b"1") + upload("f", b"x" * 100) + upload("g", b"y" * 100)[:-2])
    assert receiver.spooling
    if end == "close":
        receiver.close()
    else:
        rest = {"bad": b"\r\n--bx", "cut": b"", "limit": b"z" * 1000}[end]
        with pytest.raises(HTTPInputError):
            receive(receiver, rest)
    assert files.made[0].closed
    assert receiver.arguments == {}
    assert receiver.files == {}


def test_pieces_that_follow_each_other_are_written_together() -> None:
    files = Files()
    receiver = FormReceiver("b", spool_threshold=10, file_factory=files)
    body = upload("f", b"x" * 100) + field("a", b"1") + upload("g", b"y\r\n-" * 100)
    whole = body + b"--b--"
    receiver.feed_pieces([whole[at : at + 7] for at in range(0, len(whole), 7)])
    receiver.finish()
    assert receiver.arguments == {"a": [b"1"]}
    assert receiver.files["f"][0].body == b"x" * 100
    assert receiver.files["g"][0].body == b"y\r\n-" * 100
    assert len(files.made) == 1


def test_a_full_disk_closes_the_receiver() -> None:
    """F-09."""

    class Full(io.BytesIO):
        def writelines(self, pieces: object) -> None:
            raise OSError(28, "No space left on device")

    file = Full()
    receiver = FormReceiver("b", spool_threshold=0, file_factory=lambda: file)
    with pytest.raises(OSError, match="No space"):
        receiver.feed(upload("f", b"x"))
    assert file.closed


def test_a_missing_spool_directory_is_an_error(tmp_path: Path) -> None:
    """F-10."""
    receiver = FormReceiver("b", spool_threshold=0, spool_dir=str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError):
        receiver.feed(upload("f", b"x"))


def test_temporary_files_have_no_name_and_are_private(tmp_path: Path) -> None:
    """BP-09."""
    with temporary_file(str(tmp_path)) as file:
        file.write(b"x")
        assert list(tmp_path.iterdir()) == []
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
    with temporary_file() as file:
        assert file.read() == b""


def test_memory_stays_flat_while_a_large_file_is_spooled() -> None:
    """BP-12."""
    receiver = FormReceiver("b")
    chunk = b"x" * 65536
    receiver.feed(upload("f", b"")[:-2])
    tracemalloc.start()
    try:
        for _ in range(400):
            receiver.feed(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    receiver.feed(b"\r\n" + END)
    receiver.finish()
    assert receiver.files["f"][0].size == 400 * 65536
    assert peak < 2 * 1024 * 1024


def test_fields_are_bounded_together() -> None:
    """BP-12: many fields, each below a limit of its own."""
    limits = MultipartLimits(max_field_size=1000)
    receiver = FormReceiver("b", limits)
    data = b"".join([field(f"n{number}", b"x" * 99) for number in range(200)])
    with pytest.raises(HTTPInputError) as caught:
        receive(receiver, data)
    assert caught.value.status_code == 413
    assert receiver.arguments == {}


def test_real_files_are_closed_with_their_owners() -> None:
    receiver = receive(FormReceiver("b", spool_threshold=0), upload("f", b"x" * 10) + END)
    assert tempfile.gettempdir()
    file = receiver.files["f"][0]
    assert file.body == b"x" * 10
    del receiver, file
    gc.collect()  # a file left open would be a ResourceWarning, and those are errors
