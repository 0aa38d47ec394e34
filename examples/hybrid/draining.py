"""Services that stop as the web server does: no new connections, then what runs may end."""

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.protocols.policies import WrappingFactory

from cyclone.web import Application


class Counted(WrappingFactory):
    """A factory whose connections are known, and can be waited for."""

    noisy = False

    def __init__(self, factory, reactor) -> None:
        super().__init__(factory)
        self.reactor = reactor
        self.ended: Deferred[None] | None = None

    def unregisterProtocol(self, protocol) -> None:
        super().unregisterProtocol(protocol)
        if not self.protocols and self.ended is not None:
            self.ended.callback(None)
            self.ended = None

    def drain(self, seconds: float) -> Deferred[None] | None:
        """Fires when the connections have ended; those that have not in time are cut."""
        if not self.protocols:
            return None
        ended = self.ended = Deferred()
        cut = self.reactor.callLater(seconds, self.cut)
        ended.addCallback(lambda _: cut.cancel() if cut.active() else None)
        return ended

    def cut(self) -> None:
        for protocol in list(self.protocols):
            protocol.transport.abortConnection()


class StreamService(Service):
    """One server on a TCP port."""

    def __init__(self, name: str, factory, reactor, port: int, address: str, grace: float) -> None:
        self.label = name
        self.factory = Counted(factory, reactor)
        self.reactor = reactor
        self.grace = grace
        self.where = (port, address)

    def startService(self) -> None:
        super().startService()
        port, address = self.where
        self.port = self.reactor.listenTCP(port, self.factory, interface=address)

    def stopService(self) -> Deferred:
        super().stopService()
        closed = maybeDeferred(self.port.stopListening)
        return DeferredList([closed, maybeDeferred(self.factory.drain, self.grace)])

    def connections(self) -> list[str]:
        return [f"{self.label} {one.getPeer().host}" for one in self.factory.protocols]


class DatagramService(Service):
    """One server on a UDP port."""

    def __init__(self, name: str, protocol, reactor, port: int, address: str) -> None:
        self.label = name
        self.protocol = protocol
        self.reactor = reactor
        self.where = (port, address)

    def startService(self) -> None:
        super().startService()
        port, address = self.where
        self.port = self.reactor.listenUDP(port, self.protocol, interface=address)

    def stopService(self) -> Deferred:
        super().stopService()
        return maybeDeferred(self.port.stopListening)

    def connections(self) -> list[str]:
        return []


class WebService(Service):
    """The web server; it drains by itself."""

    label = "http"

    def __init__(self, application: Application, reactor, port: int, address: str) -> None:
        self.application = application
        self.reactor = reactor
        self.where = (port, address)

    def startService(self) -> None:
        super().startService()
        port, address = self.where
        self.port = self.reactor.listenTCP(port, self.application, interface=address)

    def stopService(self) -> Deferred:
        super().stopService()
        return self.application.stop(deadline=10)

    def connections(self) -> list[str]:
        return [f"http {one.peer_ip}" for one in self.application.connections]
