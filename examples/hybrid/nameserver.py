"""DNS: where the guestbook is (A), and how many entries it has (TXT)."""

from book import Book
from twisted.internet.defer import Deferred, fail, succeed
from twisted.names import dns, error
from twisted.names.server import DNSServerFactory

ZONE = b"guestbook.example"


class BookResolver:
    """Knows one name, and says so with authority."""

    def __init__(self, book: Book, address: str) -> None:
        self.book = book
        self.address = address

    def query(self, query: dns.Query, timeout: object = None) -> Deferred[tuple[list, list, list]]:
        if query.name.name.lower() != ZONE:
            return fail(error.DomainError())
        records = []
        if query.type in (dns.A, dns.ALL_RECORDS):
            records.append(dns.Record_A(self.address, ttl=60))
        if query.type in (dns.TXT, dns.ALL_RECORDS):
            count = str(len(self.book.entries)).encode()
            records.append(dns.Record_TXT(b"entries=" + count, ttl=0))
        answers = [
            dns.RRHeader(ZONE, record.TYPE, dns.IN, record.ttl, record, auth=True)
            for record in records
        ]
        return succeed((answers, [], []))


def make_servers(book: Book, address: str) -> tuple[DNSServerFactory, dns.DNSDatagramProtocol]:
    """The factory for TCP, and the protocol for UDP."""
    factory = DNSServerFactory(clients=[BookResolver(book, address)])
    factory.noisy = False
    return factory, dns.DNSDatagramProtocol(factory)
