"""Fetch a URL through an HTTP proxy (https through its CONNECT tunnel) and print what came.

    python examples/proxy_fetch.py https://example.com/ 127.0.0.1:3128

With a user name for the proxy: ``http://user:password@127.0.0.1:3128``. Without a proxy the URL is
fetched directly. Needs ``cyclone-httpclient[ssl]``.
"""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore
from twisted.internet.task import react

from cyclone.httpclient import AsyncHTTPClient, HTTPClientError, RequestOptions


async def show(url: str, proxy: str | None) -> None:
    client = AsyncHTTPClient(force_instance=True)
    options: RequestOptions = {"connect_timeout": 10}
    if proxy is not None:
        options["proxy"] = proxy
    try:
        response = await client.fetch(url, raise_error=False, **options)
    except HTTPClientError as error:
        print(f"no response: {error}", file=sys.stderr)
        raise SystemExit(1) from error
    finally:
        client.close()
    print(response.code, response.reason)
    for name, value in response.headers.get_all():
        print(f"{name}: {value}")
    print(f"{len(response.body)} bytes from {response.effective_url}")


def main(reactor: IReactorCore, url: str, proxy: str | None = None) -> Deferred[None]:
    return Deferred.fromCoroutine(show(url, proxy))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    react(main, sys.argv[1:])
