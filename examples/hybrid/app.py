"""One process: a guestbook on the web, by e-mail, on two consoles, and in the DNS.

    python app.py [--http 8888] [--smtp 2525] [--telnet 2323] [--ssh 2222] [--dns 5353]
                  [--host-key FILE] [--authorized-keys FILE]

A port of 0 takes a free one. All share one book, one reactor, and one way to stop: SIGTERM ends
accepting everywhere; letters and requests under way are finished first.
"""

import argparse
import os
import secrets
import sys
from pathlib import Path

from book import Book
from commands import Operator
from console import ConsoleFactory
from draining import DatagramService, StreamService, WebService
from mail import MailFactory
from nameserver import make_servers
from secureshell import SecureShellFactory, authorized_keys, host_key
from twisted.application.service import MultiService
from twisted.internet import reactor
from web import make_app

GRACE = 10.0
HERE = Path(__file__).parent
PORTS = {"http": 8888, "smtp": 2525, "telnet": 2323, "ssh": 2222, "dns": 5353}


def make_services(book: Book, options: argparse.Namespace, password: str) -> MultiService:
    everything = MultiService()

    def connections() -> list[str]:
        return sorted(line for service in everything for line in service.connections())

    address = options.listen
    tcp, udp = make_servers(book, address)
    operator = Operator(book, password, connections)
    shell = SecureShellFactory(
        operator, host_key(options.host_key), authorized_keys(options.authorized_keys)
    )
    services = [
        WebService(make_app(book), reactor, options.http, address),
        StreamService("smtp", MailFactory(book), reactor, options.smtp, address, GRACE),
        # An operator at a console does not hold up the end.
        StreamService("telnet", ConsoleFactory(operator), reactor, options.telnet, address, 0.2),
        StreamService("ssh", shell, reactor, options.ssh, address, 0.2),
        StreamService("dns", tcp, reactor, options.dns, address, 1.0),
        DatagramService("dns-udp", udp, reactor, options.dns, address),
    ]
    for service in services:
        service.setServiceParent(everything)
    return everything


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1")
    parser.add_argument("--host-key", type=Path, default=HERE / "ssh_host_ed25519_key")
    parser.add_argument("--authorized-keys", type=Path)
    for name, port in PORTS.items():
        parser.add_argument(f"--{name}", type=int, default=port)
    options = parser.parse_args()
    password = os.environ.get("CONSOLE_PASSWORD") or secrets.token_urlsafe(16)
    services = make_services(Book(), options, password)
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    services.startService()
    ports = {service.label: service.port.getHost().port for service in services}
    print(" ".join(f"{label}={port}" for label, port in ports.items()), flush=True)
    if "CONSOLE_PASSWORD" not in os.environ:
        print(f"the consoles' password: {password}", file=sys.stderr)
    reactor.run()


if __name__ == "__main__":
    main()
