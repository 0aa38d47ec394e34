"""The guestbook demo over real sockets, and in a browser."""

import html
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

APP = Path(__file__).resolve().parents[3] / "examples" / "guestbook" / "app.py"
# One red pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)


class Server(Protocol):
    url: str

    def log(self) -> str: ...


class Visitor(httpx.Client):
    """A browser without a window: keeps cookies, fills in the token of forms."""

    def token(self, path: str = "/") -> str:
        found = re.search('name="_xsrf" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return html.unescape(found[1])

    def submit(self, path: str = "/", files: Any = None, **fields: str) -> httpx.Response:
        return self.post(path, data={"_xsrf": self.token(), **fields}, files=files)

    def log_in(self, name: str, **fields: str) -> httpx.Response:
        return self.submit("/login", **{"name": name, "password": "correct horse", **fields})


@pytest.fixture
def guestbook(start: Callable[..., Server], tmp_path: Path) -> Server:
    """The demo with an empty database."""
    return start(APP, "--port", "0", "--database", tmp_path / "guestbook.db")


@pytest.fixture
def visitor(guestbook: Server) -> Iterator[Visitor]:
    """Somebody new."""
    with Visitor(base_url=guestbook.url) as client:
        yield client


@pytest.fixture
def other(guestbook: Server) -> Iterator[Visitor]:
    """Somebody else."""
    with Visitor(base_url=guestbook.url) as client:
        yield client


def test_sign_and_read(visitor: Visitor) -> None:
    assert "Nobody has signed yet." in visitor.get("/").text
    entry = {"author": "Ada <A>", "message": "Grüße & <script>alert(1)</script>"}
    answer = visitor.submit(**entry)
    assert answer.status_code == 303
    page = visitor.get(answer.headers["Location"]).text
    assert "Ada &lt;A&gt;" in page
    assert "Grüße &amp; &lt;script&gt;" in page
    assert "<script>" not in page
    page = visitor.get("/").text
    assert "Ada &lt;A&gt;" in page
    assert "1 entry" in page


def test_a_bad_entry_is_shown_again(visitor: Visitor) -> None:
    for entry in ({}, {"author": "x", "message": " "}, {"author": "x" * 61, "message": "y"}):
        answer = visitor.submit(**entry)
        assert answer.status_code == 400
        assert 'class="problem"' in answer.text
        assert "Nobody has signed yet." in answer.text


def test_forged_requests(visitor: Visitor) -> None:
    entry = {"author": "x", "message": "y"}
    token = visitor.token()
    cases: list[dict[str, Any]] = [
        {"data": entry},
        {"data": entry, "params": {"_xsrf": token}},
        {"data": {**entry, "_xsrf": "2|00000000|00|0"}},
        {"data": {**entry, "_xsrf": token}, "headers": {"Origin": "https://evil.example"}},
        {"data": {**entry, "_xsrf": token}, "headers": {"Sec-Fetch-Site": "cross-site"}},
    ]
    for case in cases:
        assert visitor.post("/", **case).status_code == 403
    for path in ("/login", "/logout", "/language", "/entry/1"):
        assert visitor.post(path).status_code == 403
    assert "Nobody has signed yet." in visitor.get("/").text


def test_not_found(visitor: Visitor) -> None:
    for path in ("/nothing", "/entry/1", "/entry/" + "9" * 5000, "/entry/x", "/picture/x.png"):
        answer = visitor.get(path)
        assert answer.status_code == 404
        assert "There is no such page." in answer.text
    assert visitor.post("/nothing").status_code == 404


def test_stylesheet_is_versioned(visitor: Visitor) -> None:
    page = visitor.get("/").text
    link = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert link.startswith("/static/style.css?v=")
    answer = visitor.get(link)
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "max-age=315360000" in answer.headers["Cache-Control"]


def test_new_entries_appear_in_an_open_page(
    guestbook: Server, visitor: Visitor, browser: "Chrome"
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    def shows(*messages: str) -> None:
        def found(_: object) -> bool:
            entries = browser.find_elements(By.CSS_SELECTOR, "#entries .entry .message")
            return [entry.text for entry in entries] == list(messages)

        WebDriverWait(browser, 10, 0.05).until(found, str(messages))

    browser.get(guestbook.url)
    assert browser.find_element(By.ID, "nobody").is_displayed()
    visitor.submit(author="Ada", message="First <b>")
    shows("First <b>")
    assert browser.find_element(By.ID, "tally").text == "1 entry"
    assert browser.find_elements(By.ID, "nobody") == []
    visitor.log_in("Grace", new="1")
    visitor.submit(message="Second")
    shows("Second", "First <b>")
    # Only its owner can delete it.
    assert browser.find_elements(By.CSS_SELECTOR, ".delete") == []
    # A page that is loaded now shows nothing twice.
    browser.refresh()
    shows("Second", "First <b>")
    visitor.submit(message="Third")
    shows("Third", "Second", "First <b>")
    get_log: Callable[[str], Any] = browser.get_log
    assert get_log("browser") == []
    assert "Traceback" not in guestbook.log()


def test_two_languages(visitor: Visitor) -> None:
    german = {"Accept-Language": "de-AT, en;q=0.5"}
    answer = visitor.get("/", headers=german)
    assert '<html lang="de">' in answer.text
    assert "Noch niemand hat sich eingetragen." in answer.text
    assert {"Cookie", "Accept-Language"} == set(answer.headers["Vary"].split(", "))
    answer = visitor.submit("/language", code="en_US", next="/login")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert '<html lang="en-US">' in visitor.get("/", headers=german).text
    visitor.submit("/language", code="de")
    assert "Bitte Name und Nachricht angeben." in visitor.submit().text
    assert visitor.submit("/language", code="xx").status_code == 400
    assert "Das hat nicht geklappt." in visitor.submit("/language", code="xx").text


def test_accounts(visitor: Visitor, other: Visitor) -> None:
    answer = visitor.log_in("Grace", new="1")
    assert answer.status_code == 303
    cookie = next(c for c in answer.headers.get_list("Set-Cookie") if c.startswith("user="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    answer = visitor.submit(message="Mine")
    mine = answer.headers["Location"]
    page = visitor.get(mine).text
    assert "Grace" in page
    assert "Delete" in page
    assert "has an account" in page

    assert "This name is taken." in other.log_in("grace", new="1").text
    assert "Name or password is wrong." in other.log_in("Grace", password="wrong horse").text
    assert "Name or password is wrong." in other.log_in("Nobody").text
    assert "8 to 200" in other.log_in("Short", password="short", new="1").text
    assert other.submit(mine).status_code == 403
    assert other.log_in("Alan", new="1").status_code == 303
    assert "Delete" not in other.get(mine).text
    assert other.submit(mine).status_code == 403

    assert visitor.submit("/logout").status_code == 303
    assert "Delete" not in visitor.get(mine).text
    assert visitor.log_in("Grace", next=mine).headers["Location"] == mine
    assert visitor.submit(mine).status_code == 303
    assert visitor.get(mine).status_code == 404


def test_login_leads_nowhere_else(visitor: Visitor) -> None:
    visitor.log_in("Grace", new="1")
    for target in ("//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", ""):
        answer = visitor.log_in("Grace", next=target)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_a_forged_session_is_nobody(visitor: Visitor) -> None:
    visitor.log_in("Grace", new="1")
    signed = visitor.cookies["user"].strip('"')
    other = "1" if signed.endswith("0") else "0"
    for forged in (signed[:-1] + other, signed.replace("user", "users"), "1", "MQ==|1|x"):
        visitor.cookies.clear()
        page = visitor.get("/", headers={"Cookie": f'user="{forged}"'})
        assert page.status_code == 200
        assert 'id="login"' in page.text


def test_pictures(visitor: Visitor, other: Visitor, tmp_path: Path) -> None:
    picture = {"picture": ("../evil.html", PNG, "text/html")}
    assert other.submit(author="x", message="y", files=picture).status_code == 403
    visitor.log_in("Grace", new="1")
    page = visitor.get(visitor.submit(message="See", files=picture).headers["Location"]).text
    link = page.split('<img src="')[1].split('"')[0]
    assert re.fullmatch(r"/picture/[0-9a-f]{64}\.png", link)
    answer = other.get(link)
    assert answer.content == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for content in (b"<html>", b"x" * 2_100_000):
        files = {"picture": ("p.png", content, "image/png")}
        assert visitor.submit(message="y", files=files).status_code == 400
    files = {"picture": ("p.png", PNG + b"x" * 3_000_000, "image/png")}
    assert visitor.submit(message="y", files=files).status_code == 413
    assert [path.name for path in tmp_path.glob("*.pictures/*")] == [link.rpartition("/")[2]]


def test_an_older_database_and_a_second_start(start: Callable[..., Server], tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as old:
        old.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, author, message, written)")
        old.execute("INSERT INTO entry VALUES (1, 'Old', 'from before', 1)")
    old.close()
    key = None
    for _ in range(2):
        server = start(APP, "--port", "0", "--database", file)
        assert "from before" in httpx.get(server.url).text
        assert key in (None, (tmp_path / "old.key").read_bytes())
        key = (tmp_path / "old.key").read_bytes()
    assert (tmp_path / "old.key").stat().st_mode & 0o077 == 0


def test_in_a_browser(guestbook: Server, browser: "Chrome", tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    def becomes(title: str) -> None:
        WebDriverWait(browser, 10).until(lambda _: browser.title == title, browser.title)

    def find(selector: str) -> Any:
        return browser.find_element(By.CSS_SELECTOR, selector)

    browser.get(guestbook.url)
    assert browser.title == "Guestbook"
    assert find("body").value_of_css_property("max-width") == "640px"
    find("[name=author]").send_keys("Grace")
    find("[name=message]").send_keys("I was here\nand <here>")
    find("#sign button").click()
    becomes("Grace - Guestbook")
    assert find(".message").text == "I was here\nand <here>"
    browser.find_element(By.LINK_TEXT, "All entries").click()
    becomes("Guestbook")
    entries = browser.find_elements(By.CSS_SELECTOR, "#entries .entry .message")
    assert [entry.text for entry in entries] == ["I was here\nand <here>"]
    browser.get(guestbook.url + "/nothing")
    assert "There is no such page." in find("main").text

    # An account, a picture, the other language, and out again.
    find("#login").click()
    find("[name=name]").send_keys("Ada")
    find("[name=password]").send_keys("correct horse")
    find("#account [name=new]").click()
    becomes("Guestbook")
    assert find("#user").text == "Ada"
    (tmp_path / "dot.png").write_bytes(PNG)
    find("[name=message]").send_keys("With a picture")
    find("[name=picture]").send_keys(str(tmp_path / "dot.png"))
    find("#sign button").click()
    becomes("Ada - Guestbook")
    picture = find(".entry img")
    assert browser.execute_script("return arguments[0].naturalWidth", picture) == 1
    find("#language [value=de]").click()
    becomes("Ada - Gästebuch")
    assert find("html").get_attribute("lang") == "de"
    find(".delete button").click()
    becomes("Gästebuch")
    assert find("#tally").text == "1 Eintrag"
    find("#logout button").click()
    browser.implicitly_wait(10)
    assert find("#login").text == "Anmelden"
    # Nothing was blocked by the page's own policy, nothing is missing but what was asked for above.
    get_log: Callable[[str], Any] = browser.get_log
    complaints = [entry["message"] for entry in get_log("browser")]
    assert [text for text in complaints if "/nothing" not in text] == []
