"""The operator's console over SSH: by public key or password, on a terminal or for one command."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from commands import BANNER, MAX_LINE, PROMPT, Operator
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twisted.conch.avatar import ConchUser
from twisted.conch.checkers import InMemorySSHKeyDB, SSHPublicKeyChecker
from twisted.conch.insults.insults import ServerProtocol
from twisted.conch.interfaces import IConchUser, ISession
from twisted.conch.recvline import HistoricRecvLine
from twisted.conch.ssh.factory import SSHFactory
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.session import SSHSession, wrapProtocol
from twisted.conch.ssh.userauth import SSHUserAuthServer
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

USER = b"operator"
MAX_TRIES = 6
SECONDS_TO_LOG_IN = 60


def host_key(path: Path) -> Key:
    """The key this server is known by: made at the first start, for its owner's eyes only."""
    if not path.exists():
        made = Key(Ed25519PrivateKey.generate()).toString("openssh", comment="guestbook")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(made)
    if path.stat().st_mode & 0o077:
        raise SystemExit(f"{path} may be read by others: chmod 600 {path}")
    return Key.fromFile(str(path))


def authorized_keys(path: Path | None) -> list[Key]:
    """The public keys in a file like ~/.ssh/authorized_keys."""
    lines = [] if path is None else path.read_bytes().splitlines()
    return [Key.fromString(line) for line in lines if line.strip() and not line.startswith(b"#")]


class Lines(Protocol):
    """A session without a terminal: commands come as lines, as from a pipe."""

    def __init__(self, operator: Operator, end: Callable[[], object]) -> None:
        self.operator = operator
        self.end = end
        self.rest = b""

    def dataReceived(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            answer = self.operator.run(line.decode("utf-8", "replace"))
            if answer is None:
                self.end()
                return
            self.transport.write("".join(f"{one}\n" for one in answer).encode())
        if len(self.rest) > MAX_LINE:
            self.end()


class Terminal(HistoricRecvLine):
    """A session on a terminal, with editing and a history."""

    def __init__(self, operator: Operator, end: Callable[[], object]) -> None:
        self.operator = operator
        self.end = end
        self.ps = (PROMPT.encode(), PROMPT.encode())

    def initializeScreen(self) -> None:
        self.terminal.reset()
        self.terminal.write(BANNER.encode())
        self.terminal.nextLine()
        self.drawInputLine()
        self.setInsertMode()

    def characterReceived(self, ch: bytes, moreCharactersComing: bool) -> None:
        if len(self.lineBuffer) < MAX_LINE:
            super().characterReceived(ch, moreCharactersComing)

    def keystrokeReceived(self, keyID: bytes, modifier: object) -> None:
        if keyID == b"\x04":  # Ctrl-D
            self.end()
        else:
            super().keystrokeReceived(keyID, modifier)

    def lineReceived(self, line: bytes) -> None:
        answer = self.operator.run(line.decode("utf-8", "replace"))
        if answer is None:
            self.end()
            return
        for one in answer:
            self.terminal.write(one.encode())
            self.terminal.nextLine()
        self.drawInputLine()


@implementer(ISession)
class OperatorSession:
    """What a logged-in client may open: a shell of ours, or one command. Nothing else."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.terminal = False
        self.process = None

    def getPty(self, term: bytes, windowSize: tuple[int, ...], modes: object) -> None:
        self.terminal = True

    def windowChanged(self, newWindowSize: tuple[int, ...]) -> None:
        """Long lines are broken by the terminal itself."""

    def openShell(self, process) -> None:
        self.process = process
        make = partial(ServerProtocol, Terminal) if self.terminal else Lines
        shell = make(self.operator, self.end)
        shell.makeConnection(process)
        process.makeConnection(wrapProtocol(shell))

    def execCommand(self, process, command: bytes) -> None:
        self.process = process
        answer = self.operator.run(command.decode("utf-8", "replace")) or []
        process.outReceived("".join(f"{one}\n" for one in answer).encode())
        self.end()

    def end(self) -> None:
        """All is well: the client exits with 0."""
        process, self.process = self.process, None
        if process is not None:
            process.processEnded(Failure(ProcessDone(0)))

    def eofReceived(self) -> None:
        """No more commands."""
        self.end()

    def closed(self) -> None:
        """The client is gone."""
        self.process = None


class OperatorUser(ConchUser, OperatorSession):
    """The one user: no files, no forwarded ports, no shell of the system."""

    def __init__(self, operator: Operator) -> None:
        ConchUser.__init__(self)
        OperatorSession.__init__(self, operator)
        self.channelLookup[b"session"] = SSHSession


@implementer(IRealm)
class Realm:
    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def requestAvatar(self, avatarId: bytes, mind: object, *interfaces: object):
        return IConchUser, OperatorUser(self.operator), lambda: None


@implementer(ICredentialsChecker)
class PasswordChecker:
    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[bytes]:
        if self.operator.knows(credentials.password) and credentials.username == USER:
            return succeed(USER)
        return fail(UnauthorizedLogin())


class UserAuth(SSHUserAuthServer):
    loginTimeout = SECONDS_TO_LOG_IN
    attemptsBeforeDisconnect = MAX_TRIES


class SecureShellFactory(SSHFactory):
    noisy = False

    def __init__(self, operator: Operator, key: Key, allowed: list[Key]) -> None:
        self.services = {**SSHFactory.services, b"ssh-userauth": UserAuth}
        self.publicKeys = {key.sshType(): key.public()}
        self.privateKeys = {key.sshType(): key}
        self.portal = Portal(Realm(operator), [PasswordChecker(operator)])
        if allowed:
            self.portal.registerChecker(SSHPublicKeyChecker(InMemorySSHKeyDB({USER: allowed})))
