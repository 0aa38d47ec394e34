"""Logins with an OAuth 1.0a provider, a process of its own, whose checks are oauthlib's."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin

import httpx
import pytest

PROVIDERS = Path(__file__).resolve().parent / "providers"


class Server(Protocol):
    url: str

    def log(self) -> str: ...


Start = Callable[..., Server]


@pytest.fixture
def provider(start: Start) -> Server:
    return start(PROVIDERS / "oauth1_provider.py")


@pytest.fixture
def client(start: Start, provider: Server) -> Server:
    return start(PROVIDERS / "oauth1_client.py", provider.url)


@pytest.fixture
def visitor() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


def approve(visitor: httpx.Client, provider: Server, address: str, user: str = "ada") -> str:
    """Log in at the provider; returns where it sends the browser then."""
    away = visitor.get(address)
    assert away.status_code == 302, away.text
    page = away.headers["Location"]
    assert page.startswith(provider.url)
    assert "<form" in visitor.get(page).text
    return str(visitor.post(page, data={"user": user}).headers["Location"])


def test_logins(client: Server, provider: Server, visitor: httpx.Client) -> None:
    back = approve(visitor, provider, client.url + "/twitter")
    assert back.startswith(client.url + "/twitter?")
    user = visitor.get(back).json()
    assert (user["username"], user["name"]) == ("ada", "Ada")
    assert set(user["access_token"]) >= {"key", "secret"}
    assert user["posted"] == [["status", "Grüße & 100% = 1+1"], ["a b", ""]]
    once = visitor.get(client.url + "/twitter?once=1").headers["Location"]
    assert once.startswith(provider.url + "/authenticate?oauth_token=")

    back = approve(visitor, provider, client.url + "/plain", "grace")
    plain = visitor.get(back).json()
    assert plain["key_length"] == len(plain["access_token"]["key"])
    log = client.log()
    for secret in ("a secret, 100%", user["access_token"]["secret"]):
        assert secret not in log

    # Refused: another browser, a second time, a changed verifier, a token not asked for
    back = approve(visitor, provider, client.url + "/twitter")
    with httpx.Client() as stranger:
        refused = stranger.get(back)
        assert (refused.status_code, refused.json()["kind"]) == (400, "auth")
    wrong = visitor.get(back.replace("oauth_verifier=", "oauth_verifier=0"))
    assert (wrong.status_code, wrong.json()["kind"]) == (502, "auth")
    again = visitor.get(back)
    assert again.json()["error"] == "Missing OAuth request token cookie"
    approve(visitor, provider, client.url + "/twitter")
    other = visitor.get(urljoin(client.url, "/twitter?oauth_token=other"))
    assert other.json()["error"] == "Request token does not match cookie"
    approve(visitor, provider, client.url + "/plain")
    none = visitor.get(urljoin(client.url, "/plain?oauth_token=other"))
    assert (none.status_code, none.json()["kind"]) == (403, "crash")
