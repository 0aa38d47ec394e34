"""Transport: what the annotation promises is what Twisted's transports have."""

import inspect

import pytest
from twisted.internet import tcp
from twisted.protocols.tls import TLSMemoryBIOProtocol

from cyclone.httpserver import ListeningPort, Transport

METHODS = [
    pytest.param(ours, theirs, name, id=f"{ours.__name__}.{name}")
    for ours, theirs in ((Transport, tcp.Server), (ListeningPort, tcp.Port))
    for name, value in vars(ours).items()
    if name[0] != "_" and callable(value)
]


@pytest.mark.parametrize(("protocol", "implementation", "name"), METHODS)
def test_twisted_has_it(protocol: type, implementation: type, name: str) -> None:
    ours = list(inspect.signature(getattr(protocol, name)).parameters)
    theirs = inspect.signature(getattr(implementation, name)).parameters
    required = [name for name, value in theirs.items() if value.default is value.empty]
    assert len(required) == len(ours)


def test_tls_passes_on_what_it_has_not_itself() -> None:
    assert hasattr(TLSMemoryBIOProtocol, "__getattr__")
