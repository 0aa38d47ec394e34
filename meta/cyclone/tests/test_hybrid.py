"""examples/hybrid: one process on the web, by mail, on a console and in the DNS."""

import contextlib
import http.client
import os
import re
import smtplib
import socket
import struct
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "hybrid"
pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the examples are not in the sdist")


class Hybrid:
    def __init__(self, log: Path) -> None:
        command = [sys.executable, "-X", "dev", str(EXAMPLE / "app.py")]
        for name in ("http", "smtp", "telnet", "dns"):
            command += [f"--{name}", "0"]
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "CONSOLE_PASSWORD": "sesame"},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.ports = {name: int(port) for name, port in re.findall(r"([\w-]+)=(\d+)", line)}
        assert len(self.ports) == 5, log.read_text()

    def get(self, path: str = "/") -> tuple[str, str]:
        """The page, and the cookie that came with it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            cookie = response.getheader("Set-Cookie", "").partition(";")[0]
            return response.read().decode(), cookie

    def connect(self, name: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[name]), timeout=10)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        finally:
            self.process.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hybrid]:
    found = Hybrid(tmp_path_factory.mktemp("hybrid") / "log")
    yield found
    found.close()


def read_until(sock: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        piece = sock.recv(4096)
        assert piece, data
        data += piece
    return data


def letter(text: str, name: str = "Ana <ana@example.org>") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = name, "guestbook@example.com", "hello"
    message.set_content(text)
    return message


def send(hybrid: Hybrid, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", hybrid.ports["smtp"], timeout=10) as client:
        client.send_message(message)


def test_a_letter_is_on_the_open_pages_at_once(hybrid: Hybrid) -> None:
    with hybrid.connect("http") as live:
        live.sendall(b"GET /live HTTP/1.1\r\nHost: example\r\n\r\n")
        read_until(live, b"\r\n\r\n")
        send(hybrid, letter("¡Hola <b>a todos</b>!"))
        event = read_until(live, b"\n\n").decode()
    assert '"way": "mail"' in event
    page, _ = hybrid.get()
    assert "<b>Ana</b> (mail): ¡Hola &lt;b&gt;a todos&lt;/b&gt;!" in page


def test_no_open_relay_and_no_endless_letter(hybrid: Hybrid) -> None:
    with smtplib.SMTP("127.0.0.1", hybrid.ports["smtp"], timeout=10) as client:
        client.ehlo()
        client.mail("ana@example.org")
        assert client.rcpt("somebody@example.net")[0] == 550
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        send(hybrid, letter("x" * 70 + "\n" + "y\n" * 60_000))
    assert refused.value.smtp_code in (550, 552)
    with pytest.raises(smtplib.SMTPResponseException):
        send(hybrid, letter(" "))


def test_the_form(hybrid: Hybrid) -> None:
    page, cookie = hybrid.get()
    token = re.search(r'name="_xsrf" value="([^"]+)"', page)
    assert token is not None
    connection = http.client.HTTPConnection("127.0.0.1", hybrid.ports["http"], timeout=10)
    body = urllib.parse.urlencode({"_xsrf": token[1], "name": "Bo", "text": "by the form"})
    kind = "application/x-www-form-urlencoded"
    with contextlib.closing(connection):
        connection.request("POST", "/", body, {"Cookie": cookie, "Content-Type": kind})
        assert connection.getresponse().status == 302
    assert "<b>Bo</b> (web): by the form" in hybrid.get()[0]


def test_the_console_lists_who_is_connected(hybrid: Hybrid) -> None:
    with hybrid.connect("http") as web, hybrid.connect("telnet") as console:
        web.sendall(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        read_until(web, b"</html>")
        read_until(console, b"password: ")
        console.sendall(b"wrong\r\n")
        read_until(console, b"password: ")
        console.sendall(b"sesame\r\n")
        read_until(console, b"> ")
        console.sendall(b"connections\r\n")
        answer = read_until(console, b"> ").decode()
        assert "http 127.0.0.1\r\n" in answer
        assert "telnet 127.0.0.1\r\n" in answer
        console.sendall(b"say from the console\r\n")
        read_until(console, b"> ")
        console.sendall(b"quit\r\n")
        read_until(console, b"bye")
    assert "<b>the operator</b> (console): from the console" in hybrid.get()[0]


def question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    return struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack(">xHH", kind, 1)


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_dns(hybrid: Hybrid, kind: str) -> None:
    send(hybrid, letter("one more"))
    address = question("guestbook.example", 1)
    if kind == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            sock.connect(("127.0.0.1", hybrid.ports["dns-udp"]))
            sock.send(address)
            answer = sock.recv(512)
            sock.send(question("guestbook.example", 16))
            assert b"entries=" in sock.recv(512)
            sock.send(question("nobody.example", 1))
            assert sock.recv(512)[3] & 15 == 3  # NXDOMAIN
    else:
        with hybrid.connect("dns") as sock:
            sock.sendall(struct.pack(">H", len(address)) + address)
            answer = read_until(sock, bytes([127, 0, 0, 1]))[2:]
    assert answer.endswith(bytes([127, 0, 0, 1]))


def test_one_way_to_stop(tmp_path: Path) -> None:
    """A letter under way is finished; nothing is left open; no error is logged."""
    hybrid = Hybrid(tmp_path / "log")
    client = smtplib.SMTP("127.0.0.1", hybrid.ports["smtp"], timeout=10)
    client.ehlo()
    client.mail("ana@example.org")
    live = hybrid.connect("http")
    live.sendall(b"GET /live HTTP/1.1\r\nHost: example\r\n\r\n")
    read_until(live, b"\r\n\r\n")
    console = hybrid.connect("telnet")
    read_until(console, b"password: ")
    hybrid.process.terminate()
    assert client.rcpt("guestbook@example.com")[0] == 250
    assert client.data(letter("the last one").as_bytes())[0] == 250
    client.quit()
    assert hybrid.process.wait(12) == 0
    with pytest.raises(ConnectionRefusedError):
        hybrid.connect("http").close()
    live.close()
    console.close()
    hybrid.close()
    assert hybrid.log.read_text() == ""
