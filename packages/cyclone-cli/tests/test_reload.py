"""Sockets that outlive a reload."""

from __future__ import annotations

import os
import socket

import pytest

from cyclone.cli import _reload
from cyclone.cli._sockets import Listener
from cyclone.web import autoreload


@pytest.mark.parametrize(("tls", "made"), [(True, False), (False, True), (True, True)])
def test_kept_and_taken(monkeypatch: pytest.MonkeyPatch, tls: bool, made: bool) -> None:
    hooks: list[object] = []
    monkeypatch.setattr(autoreload, "add_reload_hook", hooks.append)
    environ: dict[str, str] = {}
    with socket.create_server(("127.0.0.1", 0)) as first:
        copy = Listener(socket.socket(fileno=os.dup(first.fileno())), tls, made)
        _reload.keep_sockets([copy], environ)
        assert environ == {}
        (hook,) = hooks
        assert callable(hook)
        hook()
        assert copy.sock.get_inheritable()
        (found,) = _reload.take_sockets(environ)
        assert (found.tls, found.made, found.url) == (tls, made, copy.url)
        assert not found.sock.get_inheritable()
        copy.sock.detach()
        found.close()
    assert _reload.take_sockets(environ) == []


def test_those_of_another_process_are_left() -> None:
    assert _reload.take_sockets({_reload.VARIABLE: "1:3"}) == []
