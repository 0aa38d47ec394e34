"""The overview's GoogleHandler against an OpenID 2.0 provider made of python3-openid."""

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
import pytest

PROVIDERS = Path(__file__).resolve().parent / "providers"


class Server(Protocol):
    url: str

    def log(self) -> str: ...


Start = Callable[..., Server]


@pytest.fixture
def visitor() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


def answer_form(visitor: httpx.Client, site: str, user: str) -> str:
    """Log in at the provider as *user*; returns where it sends the browser then."""
    away = visitor.get(site + "/login")
    assert away.status_code == 302, away.text
    page = visitor.get(away.headers["Location"])
    fields = {
        html.unescape(name): html.unescape(value)
        for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', page.text)
    }
    address = urljoin(str(page.url), "/openid")
    return str(visitor.post(address, data={**fields, "user": user}).headers["Location"])


def changed(address: str, **values: str) -> str:
    """The address of an answer with some of its fields replaced or added."""
    parts = urlsplit(address)
    fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    fields |= {"openid." + name: value for name, value in values.items()}
    return parts._replace(query=urlencode(fields)).geturl()


def test_the_overviews_handler(
    start: Start,
    start_example: Callable[[str], Server],
    visitor: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = start(PROVIDERS / "openid2_provider.py")
    monkeypatch.setenv("OPENID_ENDPOINT", provider.url + "/openid")
    site = start_example("auth_google.py").url
    assert visitor.get(site).headers["Location"] == "/login?next=%2F"
    back = answer_form(visitor, site, "ada")
    home = visitor.get(back)
    assert home.headers["Location"] == "/", home.text
    assert visitor.get(site).text == "Hello, ada@example.com"

    visitor.cookies.delete("user")

    def sent_away_again(address: str) -> bool:
        answer = visitor.get(address)
        assert "user" not in visitor.cookies
        return answer.status_code == 302 and provider.url in answer.headers["Location"]

    # AU-07: used before, changed, not signed, for another address, of another provider, refused
    assert sent_away_again(back)
    with httpx.Client() as other:
        answer = other.get(answer_form(visitor, site, "ada"))
        assert provider.url in answer.headers["Location"]
    fresh = dict(parse_qsl(urlsplit(answer_form(visitor, site, "eve")).query))
    email = next(name for name, value in fresh.items() if value == "eve@example.com")
    assert email.removeprefix("openid.").startswith("ax.")
    for forgery in (
        {"ax.value.email": "ada@example.com", email.removeprefix("openid."): "ada@example.com"},
        {"claimed_id": provider.url + "/id/ada"},
        {"sig": "AAAA"},
        {"signed": "op_endpoint,return_to,response_nonce,assoc_handle"},
        {"return_to": "http://evil.example/login"},
        {"op_endpoint": "http://evil.example/openid"},
        {"response_nonce": "2001-01-01T00:00:00Zx"},
        {"mode": "cancel"},
    ):
        # A new answer each time: the provider judges each of its own only once.
        assert sent_away_again(changed(answer_form(visitor, site, "eve"), **forgery)), forgery
    cancelled = answer_form(visitor, site, "cancel")
    assert sent_away_again(cancelled)
