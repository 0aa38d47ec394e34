"""The server that Autobahn's fuzzing client tests: it echoes. Usage: echo_server.py [PORT]."""

import sys

from twisted.internet import reactor

from cyclone.web import Application
from cyclone.websocket import WebSocketHandler


class Echo(WebSocketHandler):
    """Sends back what it gets."""

    def get_compression_options(self):
        """Accept any offer of compression."""
        return {}

    def check_origin(self, origin):
        """Accept the suite's own Origin."""
        return True

    async def on_message(self, message):
        """Send it back; the next one waits until this one is out."""
        await self.write_message(message, binary=isinstance(message, bytes))


if __name__ == "__main__":
    application = Application(
        [("/", Echo)],
        websocket_max_message_size=32 * 1024 * 1024,
        max_buffer_size=64 * 1024 * 1024,
        log_function=lambda handler: None,
    )
    application.listen(int(sys.argv[1]) if len(sys.argv) > 1 else 9001, "127.0.0.1")
    reactor.run()
