"""Transport: what the annotation promises is what Twisted's transports have."""

import inspect

import pytest
from twisted.internet import tcp
from twisted.protocols.tls import TLSMemoryBIOProtocol

from cyclone.httpserver import Transport

METHODS = sorted(
    name for name, value in vars(Transport).items() if name[0] != "_" and callable(value)
)


@pytest.mark.parametrize("name", METHODS)
def test_twisted_has_it(name: str) -> None:
    ours = list(inspect.signature(getattr(Transport, name)).parameters)
    theirs = inspect.signature(getattr(tcp.Server, name)).parameters
    required = [name for name, value in theirs.items() if value.default is value.empty]
    assert len(required) == len(ours)


def test_tls_passes_on_what_it_has_not_itself() -> None:
    assert hasattr(TLSMemoryBIOProtocol, "__getattr__")
