"""HTTPFile: attributes and keys, in memory and on disk."""

import copy
import io
import pickle
import stat
import tempfile
from pathlib import Path

import pytest

from cyclone.httputil import HTTPFile


def in_memory() -> HTTPFile:
    return HTTPFile(filename="a.txt", body=b"hello", content_type="text/plain")


def on_disk() -> HTTPFile:
    return HTTPFile(filename="a.txt", content_type="text/plain", file=io.BytesIO(b"hello"))


KINDS = pytest.mark.parametrize("make", [in_memory, on_disk])


@KINDS
def test_attributes_are_keys(make: type[HTTPFile]) -> None:
    file = make()
    for name, value in (("filename", "a.txt"), ("body", b"hello"), ("content_type", "text/plain")):
        assert file[name] == getattr(file, name) == file.get(name) == value
        assert name in file
    assert dict(file) == {"filename": "a.txt", "body": b"hello", "content_type": "text/plain"}
    assert file == dict(file)
    assert len(file) == 3
    assert file.size == 5


@KINDS
def test_anything_can_be_set(make: type[HTTPFile]) -> None:
    file = make()
    file.note = "x"
    file["other"] = "y"
    assert (file["note"], file.other) == ("x", "y")
    file.filename = "b.txt"
    assert file["filename"] == "b.txt"
    del file["note"]
    file.body = b"other"
    assert (file.body, file.size, file.file.read(), file.spooled) == (b"other", 5, b"other", False)
    with pytest.raises(AttributeError):
        file.note  # noqa: B018
    with pytest.raises(KeyError):
        file["note"]
    with pytest.raises(AttributeError):
        file._private  # noqa: B018


@KINDS
def test_the_file_object(make: type[HTTPFile]) -> None:
    file = make()
    assert file.file.read(2) == b"he"
    assert file.body == b"hello"
    assert file.file.read() == b"llo"
    assert file.file is file.file
    file.file.seek(1)
    assert file.file.read() == b"ello"


@KINDS
def test_save(make: type[HTTPFile], tmp_path: Path) -> None:
    file = make()
    file.file.read(3)
    target = tmp_path / "saved"
    file.save(target)
    file.save(str(target))
    assert target.read_bytes() == b"hello"
    assert file.file.read() == b"lo"
    with pytest.raises(OSError, match="missing"):
        file.save(tmp_path / "missing" / "x")


@KINDS
def test_the_representation_has_no_content(make: type[HTTPFile]) -> None:
    """LG-03."""
    assert repr(make()) == "HTTPFile(filename='a.txt', content_type='text/plain', size=5)"


def test_defaults() -> None:
    file = HTTPFile()
    assert (file.filename, file.body, file.content_type) == ("", b"", "application/unknown")
    assert (file.size, file.spooled) == (0, False)
    file.close()


def test_copies_of_what_is_in_memory() -> None:
    file = in_memory()
    for twin in (copy.copy(file), copy.deepcopy(file), pickle.loads(pickle.dumps(file))):
        assert twin == file
        assert twin.size == 5
        assert type(twin) is HTTPFile


def test_closing_frees_the_file() -> None:
    with tempfile.TemporaryFile() as handle:
        handle.write(b"x" * 10)
        handle.seek(0)
        file = HTTPFile("a", file=handle)
        assert (file.size, file.spooled) == (10, True)
        file.close()
        assert handle.closed


def test_saved_files_have_the_usual_mode(tmp_path: Path) -> None:
    on_disk().save(tmp_path / "x")
    assert stat.S_ISREG((tmp_path / "x").stat().st_mode)
