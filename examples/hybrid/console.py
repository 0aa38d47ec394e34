"""The operator's console over telnet: not encrypted, so for this machine only."""

from commands import BANNER, MAX_LINE, PROMPT, Operator
from twisted.conch.telnet import StatefulTelnetProtocol, TelnetTransport
from twisted.internet.protocol import ServerFactory

MAX_TRIES = 3


class Console(StatefulTelnetProtocol):
    """Asks for the password, then takes commands, one a line."""

    state = "Password"
    tries = 0
    MAX_LENGTH = MAX_LINE

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def connectionMade(self) -> None:
        super().connectionMade()
        self.transport.write(b"password: ")

    def telnet_Password(self, line: bytes) -> str:
        if self.operator.knows(line.strip()):
            self.transport.write(f"{BANNER}\n{PROMPT}".encode())
            return "Command"
        self.tries += 1
        if self.tries == MAX_TRIES:
            self.transport.loseConnection()
        else:
            self.transport.write(b"password: ")
        return "Password"

    def telnet_Command(self, line: bytes) -> str:
        answer = self.operator.run(line.decode("utf-8", "replace"))
        if answer is None:
            self.transport.write(b"bye\n")
            self.transport.loseConnection()
        else:
            self.transport.write("".join(f"{one}\n" for one in answer).encode())
            self.transport.write(PROMPT.encode())
        return "Command"


class ConsoleFactory(ServerFactory):
    noisy = False

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def buildProtocol(self, addr):
        return TelnetTransport(Console, self.operator)
