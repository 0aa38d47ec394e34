"""What an operator can ask of this process, whatever console the question comes by."""

import hmac
from collections.abc import Callable

from book import Book

MAX_LINE = 1024
BANNER = "welcome; try help"
PROMPT = "> "


class Operator:
    """Who may use a console, and what is done for them."""

    def __init__(self, book: Book, password: str, connections: Callable[[], list[str]]) -> None:
        self.book = book
        self.connections = connections
        self._password = password.encode()

    def knows(self, password: bytes) -> bool:
        return hmac.compare_digest(password, self._password)

    def run(self, line: str) -> list[str] | None:
        """The answer to one command; None ends the session."""
        command, _, rest = line.strip().partition(" ")
        if not command:
            return []
        if command == "quit":
            return None
        method = getattr(self, f"do_{command}", None)
        return ["no such command; try help"] if method is None else method(rest)

    def do_help(self, rest: str) -> list[str]:
        return ["connections | entries | say TEXT | quit"]

    def do_connections(self, rest: str) -> list[str]:
        found = self.connections()
        return [*found, f"{len(found)} connections"]

    def do_entries(self, rest: str) -> list[str]:
        return [f"{entry.number} {entry.name!r}: {entry.text!r}" for entry in self.book.entries]

    def do_say(self, rest: str) -> list[str]:
        try:
            return [f"entry {self.book.add('the operator', rest, 'console').number}"]
        except ValueError as error:
            return [str(error)]
