"""The chat room: two pages of a browser, and long polling with a plain client."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

APP = Path(__file__).resolve().parents[3] / "examples" / "chat" / "app.py"

pytestmark = pytest.mark.skipif(not APP.is_file(), reason="the examples are not in the sdist")


class Server(Protocol):
    url: str

    def log(self) -> str: ...


class Visitor(httpx.Client):
    """Speaks and listens by long polling."""

    token = ""

    def enter(self) -> "Visitor":
        found = re.search('name="_xsrf" value="([^"]+)"', self.get("/").text)
        assert found is not None
        self.token = found[1]
        return self

    def say(self, name: str, body: str) -> httpx.Response:
        return self.post("/a/message/new", data={"_xsrf": self.token, "from": name, "body": body})

    def updates(self, **fields: Any) -> list[dict[str, Any]]:
        data = {"_xsrf": self.token, **fields}
        answer = self.post("/a/message/updates", data=data).raise_for_status()
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages


@pytest.fixture
def chat(start: Callable[..., Server]) -> Server:
    """The room, empty."""
    return start(APP, "--port", "0")


@pytest.fixture
def visitor(chat: Server) -> Iterator[Visitor]:
    """Somebody in the room."""
    with Visitor(base_url=chat.url, timeout=10) as client:
        yield client.enter()


def test_long_polling(visitor: Visitor) -> None:
    first = visitor.say("Ada", "Hello & <welcome>").json()["id"]
    said = {"from": "Ada", "body": "Hello & <welcome>"}
    assert visitor.updates(cursor=0) == [{"id": first, "data": said}]
    with ThreadPoolExecutor(2) as pool:
        # Whether they wait already or not: the answer is the same.
        waiting = [pool.submit(visitor.updates, cursor=first) for _ in range(2)]
        second = visitor.say("", "Second").json()["id"]
        expected = [{"id": second, "data": {"from": "somebody", "body": "Second"}}]
        assert [future.result() for future in waiting] == [expected, expected]
    assert second > first
    assert [each["id"] for each in visitor.updates(cursor="nonsense")] == [first, second]


def test_what_is_refused(visitor: Visitor) -> None:
    for name, body in (("x" * 31, "y"), ("x", " "), ("x", "y" * 501)):
        assert visitor.say(name, body).status_code == 400
    assert visitor.post("/a/message/new", data={"body": "x"}).status_code == 403
    assert visitor.post("/a/message/updates").status_code == 403
    evil = {"Origin": "https://evil.example"}
    assert visitor.get("/socket", headers={**evil, **HANDSHAKE}).status_code == 403
    assert visitor.get("/other").status_code == 404


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def test_events_go_on_where_they_ended(visitor: Visitor) -> None:
    first = visitor.say("Ada", "one").json()["id"]
    visitor.say("Ada", "two")
    with visitor.stream("GET", "/events", headers={"Last-Event-ID": str(first)}) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        lines = answer.iter_lines()
        event = [next(lines), next(lines), next(lines)]
    assert event[0].startswith("id: ")
    assert event[1:] == ['data: {"from": "Ada", "body": "two"}', ""]


def test_two_pages_of_a_browser(chat: Server, visitor: Visitor, browser: "Chrome") -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.wait import WebDriverWait

    heard: list[str] = []

    def shows(expected: list[str]) -> None:
        def texts(_: object) -> list[str]:
            return [item.text for item in browser.find_elements(By.CSS_SELECTOR, "#inbox li")]

        WebDriverWait(browser, 10, 0.05).until(lambda _: texts(_) == expected, str(expected))

    def say(name: str, body: str) -> None:
        for field, text in (("from", name), ("body", body)):
            element = browser.find_element(By.NAME, field)
            element.clear()
            element.send_keys(text)
        browser.find_element(By.CSS_SELECTOR, "#speak button").click()
        heard.append(f"{name} {body}")

    visitor.say("Ada", "before <b>anybody</b> came")
    heard.append("Ada before <b>anybody</b> came")
    pages = {}
    for way in ("poll", "ws", "sse"):
        browser.switch_to.new_window("window")
        browser.get(f"{chat.url}/{way}")
        pages[way] = browser.current_window_handle
        shows(heard)
    for speaker in pages:
        browser.switch_to.window(pages[speaker])
        say(speaker, f"hello from {speaker}")
        for listener in pages.values():
            browser.switch_to.window(listener)
            shows(heard)
    assert [each["data"]["from"] for each in visitor.updates(cursor=0)] == ["Ada", *pages]
    get_log: Callable[[str], Any] = browser.get_log
    assert [entry["message"] for entry in get_log("browser")] == []
    assert "Traceback" not in chat.log()
