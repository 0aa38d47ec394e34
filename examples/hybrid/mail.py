"""Entries by e-mail: a small SMTP server that takes letters to one address."""

import email
import email.policy
from email.message import EmailMessage
from email.utils import parseaddr

from book import Book
from twisted.internet.defer import Deferred, fail, succeed
from twisted.mail import smtp
from zope.interface import implementer

ADDRESS = b"guestbook@example.com"
MAX_LETTER = 100_000


@implementer(smtp.IMessage)
class Letter:
    """Collects the lines of one letter, and enters it at the end."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.lines: list[bytes] = []
        self.size = 0

    def lineReceived(self, line: bytes) -> None:
        self.size += len(line) + 2
        if self.size > MAX_LETTER:
            raise smtp.SMTPServerError(552, b"the letter is too long")
        self.lines.append(line)

    def eomReceived(self) -> Deferred[None]:
        letter = email.message_from_bytes(b"\n".join(self.lines), policy=email.policy.default)
        try:
            self.book.add(*contents(letter), "mail")
        except (ValueError, LookupError):
            return fail(smtp.SMTPServerError(554, b"no text that can be read"))
        return succeed(None)

    def connectionLost(self) -> None:
        self.lines.clear()


def contents(letter: EmailMessage) -> tuple[str, str]:
    """Who wrote it, and the plain text."""
    name, address = parseaddr(str(letter.get("From", "")))
    body = letter.get_body(("plain",))
    return name or address.partition("@")[0], body.get_content() if body is not None else ""


@implementer(smtp.IMessageDelivery)
class Delivery:
    def __init__(self, book: Book) -> None:
        self.book = book

    def receivedHeader(self, helo, origin, recipients) -> bytes:
        return b"Received: for the guestbook"

    def validateFrom(self, helo, origin):
        return origin

    def validateTo(self, user):
        if str(user.dest).lower() == ADDRESS.decode():
            return lambda: Letter(self.book)
        raise smtp.SMTPBadRcpt(user)  # no open relay


class MailFactory(smtp.SMTPFactory):
    """Five minutes of silence end a session."""

    protocol = smtp.ESMTP
    timeout = 300
    noisy = False

    def __init__(self, book: Book) -> None:
        super().__init__()
        self.book = book

    def buildProtocol(self, addr):
        protocol = super().buildProtocol(addr)
        protocol.delivery = Delivery(self.book)
        return protocol
