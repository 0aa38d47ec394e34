"""Listening sockets (F-46)."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cyclone.cli._errors import StartError
from cyclone.cli._options import RunOptions
from cyclone.cli._sockets import Listener, from_descriptor, open_listeners


@contextlib.contextmanager
def opened(**options: Any) -> Iterator[list[Listener]]:
    found = open_listeners(RunOptions("app", **options))
    try:
        yield found
    finally:
        for listener in found:
            listener.close()


def test_plain_and_tls() -> None:
    with opened(port=0, ssl_port=0) as (plain, tls):
        assert plain.url == f"http://127.0.0.1:{plain.sock.getsockname()[1]}"
        assert tls.url == f"https://127.0.0.1:{tls.sock.getsockname()[1]}"
        assert not plain.sock.getblocking()
        assert not plain.sock.get_inheritable()


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "http://localhost:"), ("::1", "http://[::1]:"), ("[::1]", "http://[::1]:")],
)
def test_addresses(host: str, shown: str) -> None:
    try:
        with opened(port=0, listen=host) as (listener,):
            assert listener.url.startswith(shown)
    except StartError:
        pytest.skip("no IPv6 here")


def test_only_what_was_asked_for(tmp_path: Path) -> None:
    with opened(unix=str(tmp_path / "s")) as listeners:
        assert [one.url for one in listeners] == [f"unix:{tmp_path}/s"]
    with opened(endpoints=("tcp:0",)) as listeners:
        assert listeners == []


def test_a_port_in_use() -> None:
    with opened(port=0) as (first,):
        port = first.sock.getsockname()[1]
        with pytest.raises(StartError, match=f"127.0.0.1:{port}: address already in use"):
            open_listeners(RunOptions("app", port=port))


def test_no_such_address() -> None:
    with pytest.raises(StartError, match="cannot listen on no host:80: "):
        open_listeners(RunOptions("app", port=80, listen="no host"))


def test_all_or_nothing(tmp_path: Path) -> None:
    with opened(port=0) as (first,), pytest.raises(StartError):
        open_listeners(
            RunOptions("app", unix=str(tmp_path / "s"), port=first.sock.getsockname()[1])
        )
    assert not (tmp_path / "s").exists()


def test_f46_a_stale_socket_is_replaced_and_its_mode_set(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with opened(unix=str(path), unix_mode=0o660):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        with pytest.raises(StartError, match="another server answers there"):
            open_listeners(RunOptions("app", unix=str(path)))
    assert not path.exists()


def test_f46_nothing_but_a_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(StartError, match="a file that is no socket"):
        open_listeners(RunOptions("app", unix=str(path)))
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("path", "message"),
    [("", "has a path"), ("@", "has a path"), ("x" * 200, "AF_UNIX path too long")],
    ids=["empty", "abstract", "long"],
)
def test_f46_no_path(path: str, message: str) -> None:
    with pytest.raises(StartError, match=message):
        open_listeners(RunOptions("app", unix=path))


def test_f46_abstract() -> None:
    name = f"@cyclone-test-{os.getpid()}"
    with opened(unix=name) as (listener,):
        assert listener.url == f"unix:{name}"


def test_from_descriptor() -> None:
    with opened(port=0) as (first,):
        again = from_descriptor(os.dup(first.sock.fileno()), tls=True)
        assert (again.tls, again.made) == (True, False)
        again.close()


def test_from_a_descriptor_that_is_none() -> None:
    with socket.socket() as idle, pytest.raises(StartError, match="no listening stream socket"):
        from_descriptor(idle.fileno(), tls=False)
    reading, writing = os.pipe()
    try:
        with pytest.raises(StartError, match=f"descriptor {reading}"):
            from_descriptor(reading, tls=False)
    finally:
        os.close(reading)
        os.close(writing)


def test_an_inherited_file_is_left(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    Listener(sock, made=False).close()
    assert os.path.exists(path)
