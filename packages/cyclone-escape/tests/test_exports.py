"""The public names of cyclone.escape."""

import subprocess
import sys
from importlib.metadata import version

import cyclone.escape


def test_names_are_pinned() -> None:
    assert cyclone.escape.__all__ == [
        "__version__",
        "_unicode",
        "json_decode",
        "json_encode",
        "linkify",
        "native_str",
        "parse_qs_bytes",
        "recursive_unicode",
        "squeeze",
        "to_basestring",
        "to_unicode",
        "url_escape",
        "url_unescape",
        "utf8",
        "xhtml_escape",
        "xhtml_unescape",
    ]


def test_every_public_name_exists() -> None:
    for name in cyclone.escape.__all__:
        assert getattr(cyclone.escape, name) is not None


def test_version_is_the_distributions() -> None:
    assert cyclone.escape.__version__ == version("cyclone-escape")


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(cyclone.escape, "no_such_name")


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, cyclone.escape; "
        "print(*sorted({'json', 'twisted', 'urllib.parse', 'html', 'asyncio'} & set(sys.modules)))"
    )
    # -S: whatever the environment's own start-up files import does not count.
    paths = [path for path in sys.path if path]
    program = f"import sys; sys.path[:] = {paths!r}; {code}"
    result = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
