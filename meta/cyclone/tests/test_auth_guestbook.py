"""Chromium logs in to the guestbook at a certified OpenID provider, and out again."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest
from ports import free_port
from programs import missing

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

HERE = Path(__file__).resolve().parent
APP = HERE.parents[2] / "examples" / "guestbook" / "app.py"
PROVIDERS = HERE / "providers"


class Server(Protocol):
    url: str

    def log(self) -> str: ...


Start = Callable[..., Server]


@pytest.fixture
def guestbook(
    start: Start, start_program: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Server:
    """The demo with an empty database and a provider."""
    if not (PROVIDERS / "node_modules").is_dir():
        missing("npm ci was not run in meta/cyclone/tests/providers")
    site = f"http://127.0.0.1:{free_port()}"
    script = PROVIDERS / "oidc_provider.mjs"
    provider = start_program("node", script, site + "/oidc", site + "/")
    monkeypatch.setenv("OIDC_CLIENT_SECRET", "a-secret-of-the-tests")
    arguments = ["--port", site.rpartition(":")[2], "--database", tmp_path / "guestbook.db"]
    return start(APP, *arguments, "--oidc", provider.url, "--oidc-client", "cyclone")


def test_login_and_logout(guestbook: Server, browser: "Chrome") -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    def find(selector: str) -> Any:
        wait = WebDriverWait(browser, 10)
        return wait.until(lambda _: browser.find_element(By.CSS_SELECTOR, selector))

    def is_at(url: str) -> None:
        WebDriverWait(browser, 10).until(lambda _: browser.current_url.startswith(url))

    def to_provider() -> None:
        browser.get(guestbook.url + "/login")
        find("#oidc").click()

    to_provider()
    find("[name=login]").send_keys("ada")
    find("[name=password]").send_keys("anything")
    find("button[type=submit]").click()
    find("input[value=consent]")
    find("button[type=submit]").click()
    is_at(guestbook.url)
    assert find("#user").text == "Person ada"
    find("[name=message]").send_keys("From far away")
    find("#sign button").click()
    assert find(".message").text == "From far away"

    find("#logout button").click()
    find("button[value=yes]").click()
    is_at(guestbook.url + "/")
    assert find("#login").text == "Log in"
    # The provider has forgotten too: it asks for the password again.
    to_provider()
    assert find("[name=password]")
    assert browser.get_cookie("user") is None

    # A name that an account of the guestbook has already is left to it.
    with httpx.Client(base_url=guestbook.url) as client:
        found = re.search('name="_xsrf" value="([^"]+)"', client.get("/login").text)
        assert found
        fields = {"_xsrf": found[1], "password": "correct horse", "new": "1"}
        client.post("/login", data={**fields, "name": "Person grace"})
        refused = client.post("/login", data={**fields, "name": "Person ada", "new": ""})
        assert refused.status_code == 400
        forged = client.get("/oidc?code=x&state=forged")
        assert forged.status_code == 400
        assert "The provider did not log you in." in forged.text
    find("[name=login]").send_keys("grace")
    find("[name=password]").send_keys("anything")
    find("button[type=submit]").click()
    find("input[value=consent]")
    find("button[type=submit]").click()
    assert find("#user").text == "Person grace 2"
    get_log: Callable[[str], Any] = browser.get_log
    policy = [entry for entry in get_log("browser") if "Content Security Policy" in str(entry)]
    assert policy == []
