"""The README's examples run, and their applications answer."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_example(code: str) -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, str(README), "exec"), names)
    application = names.get("application")
    if application is None:
        return
    from auth_support import Browser

    browser = Browser(application)
    answer = browser.get("/")
    if "BasicAuthMixin" not in names:
        assert (answer.status, answer.location) == (302, "/login?next=%2F")
        return
    assert answer.status == 401
    token = b64encode(b"ada:a password").decode()
    assert browser.get("/", headers={"Authorization": f"Basic {token}"}).text == "Hello, ada"
    assert browser.get("/camera").headers["WWW-Authenticate"].startswith("Digest ")
