"""The guestbook demo over real sockets, and in a browser."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import httpx
import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

APP = Path(__file__).resolve().parents[3] / "examples" / "guestbook" / "app.py"


class Server(Protocol):
    url: str

    def log(self) -> str: ...


@pytest.fixture
def guestbook(start: Callable[..., Server], tmp_path: Path) -> Server:
    """The demo with an empty database."""
    return start(APP, "--port", "0", "--database", tmp_path / "guestbook.db")


def test_sign_and_read(guestbook: Server) -> None:
    with httpx.Client(base_url=guestbook.url) as client:
        assert "Nobody has signed yet." in client.get("/").text
        entry = {"author": "Ada <A>", "message": "Grüße & <script>alert(1)</script>"}
        answer = client.post("/", data=entry)
        assert answer.status_code == 303
        page = client.get(answer.headers["Location"]).text
        assert "Ada &lt;A&gt;" in page
        assert "Grüße &amp; &lt;script&gt;" in page
        assert "<script>" not in page
        assert "Ada &lt;A&gt;" in client.get("/").text


@pytest.mark.parametrize(
    "entry", [{}, {"author": "x", "message": " "}, {"author": "x" * 61, "message": "y"}]
)
def test_a_bad_entry_is_shown_again(guestbook: Server, entry: dict[str, str]) -> None:
    with httpx.Client(base_url=guestbook.url) as client:
        answer = client.post("/", data=entry)
        assert answer.status_code == 400
        assert 'class="problem"' in answer.text
        assert "Nobody has signed yet." in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/entry/1", "/entry/" + "9" * 5000, "/entry/x"])
def test_not_found(guestbook: Server, path: str) -> None:
    answer = httpx.get(guestbook.url + path)
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


def test_stylesheet_is_versioned(guestbook: Server) -> None:
    with httpx.Client(base_url=guestbook.url) as client:
        page = client.get("/").text
        link = page.split('rel="stylesheet" href="')[1].split('"')[0]
        assert link.startswith("/static/style.css?v=")
        answer = client.get(link)
        assert answer.headers["Content-Type"].startswith("text/css")
        assert "max-age=315360000" in answer.headers["Cache-Control"]


def test_in_a_browser(guestbook: Server, browser: "Chrome") -> None:
    from selenium.webdriver.common.by import By

    browser.get(guestbook.url)
    assert browser.title == "Guestbook"
    assert browser.find_element(By.TAG_NAME, "body").value_of_css_property("max-width") == "640px"
    browser.find_element(By.NAME, "author").send_keys("Grace")
    browser.find_element(By.NAME, "message").send_keys("I was here\nand <here>")
    browser.find_element(By.CSS_SELECTOR, "#sign button").click()
    assert browser.find_element(By.CSS_SELECTOR, ".message").text == "I was here\nand <here>"
    browser.find_element(By.LINK_TEXT, "All entries").click()
    entries = browser.find_elements(By.CSS_SELECTOR, "#entries .entry")
    assert [entry.find_element(By.CSS_SELECTOR, ".message").text for entry in entries] == [
        "I was here\nand <here>"
    ]
    browser.get(guestbook.url + "/nothing")
    assert "There is no such page." in browser.find_element(By.TAG_NAME, "main").text
