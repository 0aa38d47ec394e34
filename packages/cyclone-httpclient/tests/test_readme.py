"""The examples of the README run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


@pytest.mark.parametrize("block", BLOCKS)
def test_example(block: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(block)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=20, check=True
    )
    assert "200 None b'hello'" in done.stdout
    assert "404 HTTP 404: Not Found" in done.stdout


def test_every_option_is_in_the_table() -> None:
    from cyclone.httpclient import RequestOptions

    for name in RequestOptions.__annotations__:
        if name != "prepare_curl_callback":
            assert f"`{name}`" in README
