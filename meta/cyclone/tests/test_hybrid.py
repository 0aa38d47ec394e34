"""examples/hybrid: one process on the web, by mail, on two consoles and in the DNS."""

import contextlib
import http.client
import os
import pty
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
from typing import Any

import pytest
from programs import find_program

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "hybrid"
# Of the standard library, which Twisted looks for on Python 3.11 and 3.12
SPWD = "ignore:'spwd' is deprecated:DeprecationWarning"
pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the examples are not in the sdist")


def make_key(path: Path) -> Path:
    """A private key for the client, and path.pub."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from twisted.conch.ssh.keys import Key

    key: Any = Key(Ed25519PrivateKey.generate())  # type: ignore[no-untyped-call]
    path.touch(0o600)
    path.write_bytes(key.toString("openssh"))
    path.with_suffix(".pub").write_bytes(key.public().toString("openssh"))
    return path


class Hybrid:
    def __init__(self, log: Path) -> None:
        command = [sys.executable, "-X", "dev", "-W", SPWD, str(EXAMPLE / "app.py")]
        for name in ("http", "smtp", "telnet", "ssh", "dns"):
            command += [f"--{name}", "0"]
        self.folder = log.parent
        self.client_key = make_key(self.folder / "client_key")
        authorized = self.folder / "authorized_keys"
        authorized.write_bytes(
            b"# those who may\n\n" + self.client_key.with_suffix(".pub").read_bytes()
        )
        self.host_key = self.folder / "host_key"
        command += ["--authorized-keys", str(authorized), "--host-key", str(self.host_key)]
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
        assert len(self.ports) == 6, log.read_text()

    def get(self, path: str = "/") -> tuple[str, str]:
        """The page, and the cookie that came with it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            cookie = response.getheader("Set-Cookie", "").partition(";")[0]
            return response.read().decode(), cookie

    def connect(self, name: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[name]), timeout=60)

    def ssh(self, *words: str, user: str = "operator", **more: object) -> list[str]:
        """The command line of OpenSSH's client, which knows the server by its key."""
        from twisted.conch.ssh.keys import Key

        key: Any = Key.fromFile(str(self.host_key))  # type: ignore[no-untyped-call]
        public = key.public().toString("openssh").decode()
        known = self.folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.ports['ssh']} {public}\n")
        options = {
            "UserKnownHostsFile": known,
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "IdentityFile": self.client_key,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "LogLevel": "ERROR",
            **more,
        }
        command = [find_program("ssh"), "-F", "none", "-p", str(self.ports["ssh"])]
        command += [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        return [*command, f"{user}@127.0.0.1", *words]

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
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
    with smtplib.SMTP("127.0.0.1", hybrid.ports["smtp"], timeout=60) as client:
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
    with smtplib.SMTP("127.0.0.1", hybrid.ports["smtp"], timeout=60) as client:
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
    connection = http.client.HTTPConnection("127.0.0.1", hybrid.ports["http"], timeout=60)
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


def run_ssh(command: list[str], text: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=60, env={**os.environ, **more}
    )


def test_ssh_with_a_key(hybrid: Hybrid) -> None:
    """One command, and a session without a terminal."""
    with hybrid.connect("http") as web:
        web.sendall(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
        read_until(web, b"</html>")
        done = run_ssh(hybrid.ssh("connections", BatchMode="yes"))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1].endswith(" connections")
        assert {"http 127.0.0.1", "ssh 127.0.0.1"} <= set(done.stdout.splitlines())
    done = run_ssh(hybrid.ssh(BatchMode="yes"), "entries\n")  # ends with its input
    assert (done.returncode, done.stderr) == (0, "")
    done = run_ssh(hybrid.ssh(BatchMode="yes"), "say over ssh\nnonsense\nquit\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("entry ")
    assert done.stdout.endswith("no such command; try help\n")
    assert "<b>the operator</b> (console): over ssh" in hybrid.get()[0]


def test_ssh_on_a_terminal(hybrid: Hybrid) -> None:
    command = hybrid.ssh(BatchMode="yes", RequestTTY="force")
    ours, theirs = pty.openpty()
    client = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    with client, open(ours, "r+b", buffering=0) as terminal:
        seen = b""
        for wanted, typed in ((b"> ", b"hel\x7flp\r"), (b"say TEXT | quit", b"quit\r")):
            while wanted not in seen:
                seen += terminal.read(4096)
            terminal.write(typed)
        assert b"welcome; try help" in seen
        with contextlib.suppress(OSError):  # so Linux ends a terminal
            while terminal.read(4096):
                pass
        assert client.wait(60) == 0


def test_ssh_with_a_password(hybrid: Hybrid, tmp_path: Path) -> None:
    def enter(password: str, user: str = "operator") -> subprocess.CompletedProcess[str]:
        asks = tmp_path / "asks"
        asks.write_text(f"#!/bin/sh\necho {password}\n")
        asks.chmod(0o700)
        command = hybrid.ssh(
            "help", user=user, PubkeyAuthentication="no", NumberOfPasswordPrompts="1"
        )
        return run_ssh(command, SSH_ASKPASS=str(asks), SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")

    assert enter("sesame").stdout == "connections | entries | say TEXT | quit\n"
    for refused in (enter("wrong"), enter("sesame", "root")):
        assert (refused.returncode, refused.stdout) == (255, "")
        assert "Permission denied" in refused.stderr


def test_ssh_gives_nothing_else(hybrid: Hybrid, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    assert run_ssh(hybrid.ssh("help", BatchMode="yes", IdentityFile=stranger)).returncode == 255
    assert run_ssh(hybrid.ssh("help", user="root", BatchMode="yes")).returncode == 255
    # No forwarded connection: the client says that it was refused
    target = f"127.0.0.1:{hybrid.ports['http']}"
    assert run_ssh(hybrid.ssh("-W", target, BatchMode="yes")).returncode != 0
    # No subsystem, such as sftp
    assert run_ssh(hybrid.ssh("-s", "sftp", BatchMode="yes")).returncode != 0


def test_the_host_key_is_kept_and_private(hybrid: Hybrid) -> None:
    assert hybrid.host_key.stat().st_mode & 0o777 == 0o600
    key = hybrid.host_key.read_bytes()
    assert key.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLE)}
    code = "import sys; from pathlib import Path; from secureshell import host_key\n"
    code += "print(host_key(Path(sys.argv[1])).fingerprint())"
    command = [sys.executable, "-c", code, str(hybrid.host_key)]
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert hybrid.host_key.read_bytes() == key
    assert again.stdout
    hybrid.host_key.chmod(0o644)
    try:
        open_to_all = subprocess.run(command, env=environment, capture_output=True, text=True)
    finally:
        hybrid.host_key.chmod(0o600)
    assert open_to_all.returncode == 1
    assert "may be read by others" in open_to_all.stderr


def question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    return struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack(">xHH", kind, 1)


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_dns(hybrid: Hybrid, kind: str) -> None:
    send(hybrid, letter("one more"))
    address = question("guestbook.example", 1)
    if kind == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(60)
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
    client = smtplib.SMTP("127.0.0.1", hybrid.ports["smtp"], timeout=60)
    client.ehlo()
    client.mail("ana@example.org")
    live = hybrid.connect("http")
    live.sendall(b"GET /live HTTP/1.1\r\nHost: example\r\n\r\n")
    read_until(live, b"\r\n\r\n")
    console = hybrid.connect("telnet")
    read_until(console, b"password: ")
    shell = subprocess.Popen(hybrid.ssh(BatchMode="yes"), stdin=-1, stdout=-1, stderr=-1)
    assert shell.stdin is not None
    shell.stdin.write(b"connections\n")
    shell.stdin.flush()
    assert shell.stdout is not None
    while shell.stdout.readline() != b"ssh 127.0.0.1\n":
        pass
    hybrid.process.terminate()
    assert client.rcpt("guestbook@example.com")[0] == 250
    assert client.data(letter("the last one").as_bytes())[0] == 250
    client.quit()
    assert hybrid.process.wait(60) == 0
    with pytest.raises(ConnectionRefusedError):
        hybrid.connect("http").close()
    live.close()
    console.close()
    with shell:
        assert shell.wait(60) == 255  # cut
    hybrid.close()
    assert hybrid.log.read_text() == ""
