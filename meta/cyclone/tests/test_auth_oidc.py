"""Logins with a certified OpenID provider, a process of its own: flows, forgeries, rotation."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from ports import free_port
from programs import missing

HERE = Path(__file__).resolve().parent
PROVIDERS = HERE / "providers"
EXAMPLES = HERE.parents[2] / "examples"


class Server(Protocol):
    url: str

    def log(self) -> str: ...


Start = Callable[..., Server]


def start_provider(start_program: Start, client: str) -> Server:
    """The provider, for a client at the address *client*."""
    if not (PROVIDERS / "node_modules").is_dir():
        missing("npm ci was not run in meta/cyclone/tests/providers")
    script = PROVIDERS / "oidc_provider.mjs"
    return start_program("node", script, client + "/login", client + "/")


@dataclass
class World:
    """A provider and a client that knows it."""

    provider: Server
    client: Server
    port: int

    def control(self, what: str) -> str:
        return httpx.get(f"{self.provider.url}/control/{what}").text


@pytest.fixture
def world(start: Start, start_program: Start) -> World:
    port = free_port()
    provider = start_provider(start_program, f"http://127.0.0.1:{port}")
    client = start(PROVIDERS / "oidc_client.py", str(port), provider.url)
    return World(provider, client, port)


@pytest.fixture
def visitor() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


def form_of(page: httpx.Response) -> tuple[str, dict[str, str]]:
    """The address and the hidden fields of the form on a page."""
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    assert action, page.text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    return urljoin(str(page.url), html.unescape(action[1])), fields


def go_through(
    visitor: httpx.Client, address: str, stop: str, account: str = "ada"
) -> httpx.Response:
    """Follow redirects and fill in the provider's forms until the browser is sent to *stop*."""
    answer = visitor.get(address)
    for _ in range(20):
        if answer.is_redirect:
            target = urljoin(str(answer.url), answer.headers["Location"])
            if target.startswith(stop):
                return answer
            answer = visitor.get(target)
            continue
        assert answer.status_code == 200, answer.text
        action, fields = form_of(answer)
        if fields.get("prompt") == "login":
            fields |= {"login": account, "password": "anything"}
        answer = visitor.post(action, data=fields)
    raise AssertionError("no end of redirects")


def log_in(world: World, visitor: httpx.Client, query: str = "") -> dict[str, Any]:
    back = go_through(visitor, f"{world.client.url}/login{query}", world.client.url)
    answer = visitor.get(back.headers["Location"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refused(answer: httpx.Response, status: int, text: str) -> None:
    assert (answer.status_code, answer.json()["kind"]) != (200, "crash")
    assert answer.status_code == status, answer.text
    assert text in answer.json()["error"]


def test_login_refresh_userinfo_rotation(world: World, visitor: httpx.Client) -> None:
    user = log_in(world, visitor)
    assert (user["sub"], user["name"], user["email"]) == ("ada", "Person ada", "ada@example.com")
    assert json.loads(world.control("counts")) == {"jwks": 1, "token": 1}

    tokens = {"refresh_token": user["refresh_token"], "sub": "ada"}
    fresh = visitor.post(f"{world.client.url}/refresh", data=tokens).json()
    assert fresh["access_token"] != user["access_token"]
    assert fresh["sub"] == "ada"
    somebody = {"refresh_token": fresh["refresh_token"], "sub": "grace"}
    refused(visitor.post(f"{world.client.url}/refresh", data=somebody), 400, "another user")
    spent = visitor.post(f"{world.client.url}/refresh", data={**tokens, "refresh_token": "spent"})
    refused(spent, 502, "invalid_grant")

    asked = {"access_token": user["access_token"], "sub": "ada"}
    assert visitor.post(f"{world.client.url}/userinfo", data=asked).json()["name"] == "Person ada"
    wrong = {**asked, "sub": "grace"}
    refused(visitor.post(f"{world.client.url}/userinfo", data=wrong), 400, "another user")

    # AU-05: new keys are asked for once, and then not again for a minute.
    assert world.control("rotate") == "rotated\n"
    with httpx.Client() as somebody_else:
        assert log_in(world, somebody_else)["sub"] == "ada"
    assert json.loads(world.control("counts"))["jwks"] == 2
    stale = visitor.post(f"{world.client.url}/verify", data={"token": user["id_token"]})
    refused(stale, 400, "key that the provider does not have")
    assert json.loads(world.control("counts"))["jwks"] == 2
    log = world.client.log()
    for secret in ("a-secret-of-the-tests", user["access_token"], user["refresh_token"]):
        assert secret not in log


def test_forged_and_replayed_answers(world: World, visitor: httpx.Client) -> None:
    login = f"{world.client.url}/login"
    back = go_through(visitor, login, world.client.url).headers["Location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    state = parse_qs(urlsplit(back).query)["state"][0]
    iss = world.provider.url
    kept = {one.name: one.value or "" for one in visitor.cookies.jar if "cyclone" in one.name}

    # AU-01: none of these makes a request for tokens.
    with httpx.Client() as stranger:
        refused(stranger.get(back), 400, "begun in this browser")
    refused(visitor.get(login, params={"code": code, "iss": iss}), 400, "no usable state")
    forged = {"code": code, "state": "forged", "iss": iss}
    refused(visitor.get(login, params=forged), 400, "begun in this browser")
    twice: Any = [("code", code), ("code", "other"), ("state", state), ("iss", iss)]
    refused(visitor.get(login, params=twice), 400, "more than one code")
    assert json.loads(world.control("counts"))["token"] == 0

    assert visitor.get(back).status_code == 200
    assert json.loads(world.control("counts"))["token"] == 1
    # Replayed by the browser, which has lost the cookie, and by one who kept it
    refused(visitor.get(back), 400, "begun in this browser")
    with httpx.Client(cookies=kept) as replay:
        refused(replay.get(back), 400, "already completed")
    assert json.loads(world.control("counts"))["token"] == 1

    # A code used before, with a state of its own: the provider's refusal is passed on.
    second = visitor.get(login).headers["Location"]
    other = parse_qs(urlsplit(second).query)["state"][0]
    replayed = {"code": code, "state": other, "iss": iss}
    refused(visitor.get(login, params=replayed), 502, "invalid_grant")
    # AU-08: the issuer of another provider, or none although this one always names itself
    for issuer in ({"iss": "https://evil.example"}, {}):
        third = parse_qs(urlsplit(visitor.get(login).headers["Location"]).query)["state"][0]
        answer = visitor.get(login, params={"code": "x", "state": third, **issuer})
        refused(answer, 400, "another issuer")


def test_wrong_nonce_and_refusals(world: World, visitor: httpx.Client) -> None:
    login = f"{world.client.url}/login"
    away = visitor.get(login).headers["Location"]
    assert "code_challenge_method=S256" in away
    changed = re.sub(r"nonce=[^&]+", "nonce=somebody-elses", away)
    back = go_through(visitor, changed, world.client.url).headers["Location"]
    refused(visitor.get(back), 400, "(nonce)")

    # A challenge that is not of our verifier
    away = visitor.get(login).headers["Location"]
    changed = re.sub(r"code_challenge=[^&]+", "code_challenge=" + "x" * 43, away)
    back = go_through(visitor, changed, world.client.url).headers["Location"]
    refused(visitor.get(back), 502, "invalid_grant")

    # The user says no.
    away = visitor.get(login).headers["Location"]
    state = parse_qs(urlsplit(away).query)["state"][0]
    denied = {"error": "access_denied", "error_description": "<b>no</b>", "state": state}
    answer = visitor.get(login, params={**denied, "iss": world.provider.url})
    refused(answer, 403, "access_denied: &lt;b&gt;no&lt;/b&gt;")


def segments(token: str) -> list[str]:
    return token.split(".")


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_forged_tokens(world: World, visitor: httpx.Client) -> None:
    user = log_in(world, visitor)
    verify = f"{world.client.url}/verify"
    token = user["id_token"]
    assert visitor.post(verify, data={"token": token}).json()["sub"] == "ada"
    header, payload, signature = segments(token)
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forgeries = {
        "not allowed": [
            f"{encoded({'alg': alg})}.{payload}.{rest}"
            for alg in ("none", "None", "NONE", "HS256", "RS1", "")
            for rest in ("", signature)
        ],
        "signature of the ID token is wrong": [
            f"{header}.{encoded({**claims, 'sub': 'grace'})}.{signature}",
            f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        ],
        "bearable size": [token + "." + "x", token + "x" * 1_000_000, "a.b", "." * 10_000, ""],
        "extensions": [f"{encoded({'alg': 'RS256', 'crit': ['exp']})}.{payload}.{signature}"],
    }
    for text, tokens in forgeries.items():
        for forged in tokens:
            answer = visitor.post(verify, data={"token": forged})
            if forged:
                refused(answer, 400, text)
            else:
                assert answer.status_code == 400


def test_foreign_audience(world: World, visitor: httpx.Client) -> None:
    """A token that the same provider made for another of its clients."""
    redirect_uri = f"http://127.0.0.1:{world.port}/login"
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    query = {
        "client_id": "somebody-else",
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = str(httpx.URL(f"{world.provider.url}/auth", params=query))
    back = go_through(visitor, address, world.client.url).headers["Location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    tokens = httpx.post(
        f"{world.provider.url}/token",
        auth=("somebody-else", "another-secret-of-the-tests"),
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        },
    ).json()
    answer = visitor.post(f"{world.client.url}/verify", data={"token": tokens["id_token"]})
    refused(answer, 400, "for somebody else (aud)")


def test_expired(
    start: Start, start_program: Start, visitor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client whose clock is eleven minutes ahead, for which the token's ten are over."""
    monkeypatch.setenv("LEEWAY", "-660")
    port = free_port()
    provider = start_provider(start_program, f"http://127.0.0.1:{port}")
    client = start(PROVIDERS / "oidc_client.py", str(port), provider.url)
    back = go_through(visitor, f"{client.url}/login", client.url)
    refused(visitor.get(back.headers["Location"]), 400, "has expired (exp)")


def test_example(
    start: Start, start_program: Start, visitor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """examples/auth_oidc.py: in and out again."""
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    provider = start_provider(start_program, site)
    monkeypatch.setenv("OIDC_CLIENT_SECRET", "a-secret-of-the-tests")
    arguments = ("--issuer", provider.url, "--client-id", "cyclone", "--port", str(port))
    server = start(EXAMPLES / "auth_oidc.py", *arguments)
    assert server.url == site
    assert "Log in" in visitor.get(site).text
    back = go_through(visitor, f"{site}/login", site, account="<Ada>")
    home = visitor.get(back.headers["Location"])
    assert home.headers["Location"] == "/"
    page = visitor.get(site)
    assert "Hello, Person &lt;Ada&gt;." in page.text
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
    assert xsrf
    away = visitor.post(f"{site}/logout", data={"_xsrf": xsrf[1]})
    confirm = visitor.get(away.headers["Location"])
    action, _ = form_of(confirm)
    hidden = re.search(r'name="xsrf" value="([^"]+)"', confirm.text)
    assert hidden
    done = visitor.post(action, data={"xsrf": hidden[1], "logout": "yes"})
    assert done.headers["Location"].startswith(site + "/")
    assert "Log in" in visitor.get(site).text
    denied = visitor.get(f"{site}/login?code=x&state=<script>")
    assert (denied.status_code, "<script>" in denied.text) == (400, False)


def test_provider_is_down(start: Start, visitor: httpx.Client) -> None:
    """AU-09: a clear 502, and no crash."""
    port = free_port()
    client = start(PROVIDERS / "oidc_client.py", str(port), f"http://127.0.0.1:{free_port()}")
    refused(visitor.get(f"{client.url}/login"), 502, "")
