"""`cyclone run --reload`: the page in the browser follows the files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

APP = """
import os
from pathlib import Path
import cyclone.locale
from cyclone.web import Application, RequestHandler

HERE = Path(__file__).parent
cyclone.locale.load_translations(HERE / "locale")

class Page(RequestHandler):
    def get(self):
        self.set_header("Content-Security-Policy", "default-src 'self'")
        self.render("page.html", number=1)

application = Application(
    [("/", Page)], template_path=HERE / "templates", static_path=HERE / "static"
)
"""
PAGE = """<!DOCTYPE html><title>t</title><body><p>{{ number }} %s {{ locale.translate("word") }}</p>
<script src="{{ static_url("text.js") }}"></script></body>"""
SCRIPT = 'document.querySelector("p").append(" %s")'


class Server(Protocol):
    url: str

    def log(self) -> str: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, text in {
        "app.py": APP,
        "templates/page.html": PAGE % "template",
        "static/text.js": SCRIPT % "static",
        "locale/en_US.csv": '"word","translation"\n',
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("options", [(), ("--debug",)], ids=["reload", "debug"])
def test_the_page_follows(
    folder: Path, start: Callable[..., Server], browser: "Chrome", options: tuple[str, ...]
) -> None:
    from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def shows(text: str) -> None:
        wait = WebDriverWait(browser, 60, 0.1, [StaleElementReferenceException, WebDriverException])
        wait.until(lambda _: browser.find_element(By.TAG_NAME, "p").text == text, text)

    def listening() -> bool:
        # The first event is the state from which on a change is one.
        return bool(browser.execute_script("return window.cycloneReload?.state"))

    server = start(
        "-m", "cyclone.cli", "run", folder / "app.py", "--port", "0", "--reload", *options
    )
    browser.get(server.url)
    text = "1 template translation static"
    shows(text)
    for name, old, new in (
        ("static/text.js", "static", "files"),
        ("templates/page.html", "template", "markup"),
        ("locale/en_US.csv", "translation", "language"),
        ("app.py", "number=1", "number=2"),
    ):
        WebDriverWait(browser, 60, 0.05).until(lambda _: listening())
        path = folder / name
        path.write_text(path.read_text().replace(old, new))
        text = text.replace(old.removeprefix("number="), new.removeprefix("number="))
        shows(text)
    # A broken translation is waited for, and so is the page.
    path = folder / "locale" / "en_US.csv"
    path.write_bytes(b"word,\xff")
    WebDriverWait(browser, 60, 0.05).until(lambda _: "waiting for a change" in server.log())
    path.write_text("word,mended")
    shows(text.replace("language", "mended"))
