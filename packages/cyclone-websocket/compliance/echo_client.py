"""The client that Autobahn's fuzzing server tests: it echoes, case by case.

Usage: echo_client.py [URL]
"""

import sys

from twisted.internet import task

from cyclone.web import spawn
from cyclone.websocket import WebSocketClosedError, websocket_connect

AGENT = "cyclone"


async def connect(url):
    """Open a connection as the suite needs it."""
    return await websocket_connect(
        url, compression_options={}, max_message_size=32 * 1024 * 1024, connect_timeout=60
    )


async def main(server):
    """Run all cases and have the reports written."""
    count = await connect(f"{server}/getCaseCount")
    cases = int(await count.read_message())
    await count.close()
    for case in range(1, cases + 1):
        connection = await connect(f"{server}/runCase?case={case}&agent={AGENT}")
        async for message in connection:
            try:
                await connection.write_message(message, binary=isinstance(message, bytes))
            except WebSocketClosedError:
                break
        print(f"\r{case} of {cases}", end="", flush=True)
    print()
    reports = await connect(f"{server}/updateReports?agent={AGENT}")
    await reports.close()


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:9002"
    task.react(lambda reactor: spawn(main(url)))
