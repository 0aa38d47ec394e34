"""A console over telnet: who is connected, what is in the book. For the operator of the process."""

import hmac
from collections.abc import Callable

from book import Book
from twisted.conch.telnet import StatefulTelnetProtocol, TelnetTransport
from twisted.internet.protocol import ServerFactory

MAX_TRIES = 3


class Console(StatefulTelnetProtocol):
    """Asks for the password, then takes commands, one a line."""

    state = "Password"
    tries = 0
    MAX_LENGTH = 1024

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.write(b"password: ")

    def telnet_Password(self, line: bytes) -> str:
        if hmac.compare_digest(line.strip(), self.shared.password):
            self.transport.write(b"welcome; try help\n> ")
            return "Command"
        self.tries += 1
        if self.tries == MAX_TRIES:
            self.transport.loseConnection()
        else:
            self.transport.write(b"password: ")
        return "Password"

    def telnet_Command(self, line: bytes) -> str:
        command, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        method = getattr(self, f"do_{command}", None)
        answer = ["no such command; try help"] if method is None else method(rest)
        self.transport.write("".join(f"{one}\n" for one in answer).encode() + b"> ")
        return "Command"

    def do_help(self, rest: str) -> list[str]:
        return ["connections | entries | say TEXT | quit"]

    def do_connections(self, rest: str) -> list[str]:
        found = self.shared.connections()
        return [*found, f"{len(found)} connections"]

    def do_entries(self, rest: str) -> list[str]:
        return [
            f"{entry.number} {entry.name!r}: {entry.text!r}" for entry in self.shared.book.entries
        ]

    def do_say(self, rest: str) -> list[str]:
        try:
            return [f"entry {self.shared.book.add('the operator', rest, 'console').number}"]
        except ValueError as error:
            return [str(error)]

    def do_quit(self, rest: str) -> list[str]:
        self.transport.loseConnection()
        return ["bye"]


class ConsoleFactory(ServerFactory):
    noisy = False

    def __init__(self, book: Book, password: str, connections: Callable[[], list[str]]) -> None:
        self.book = book
        self.password = password.encode()
        self.connections = connections

    def buildProtocol(self, addr):
        protocol = TelnetTransport(self._console)
        return protocol

    def _console(self) -> Console:
        console = Console()
        console.shared = self
        return console
