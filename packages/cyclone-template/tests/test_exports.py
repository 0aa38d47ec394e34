"""The public names of cyclone.template."""

import subprocess
import sys
from importlib.metadata import version

import cyclone.template


def test_names_are_pinned() -> None:
    assert cyclone.template.__all__ == [
        "BaseLoader",
        "DictLoader",
        "Limits",
        "Loader",
        "PackageLoader",
        "ParseError",
        "Rendering",
        "Template",
        "TemplateError",
        "TemplateLoader",
        "TemplateNotFoundError",
        "__version__",
        "filter_whitespace",
    ]


def test_every_public_name_exists() -> None:
    for name in cyclone.template.__all__:
        assert getattr(cyclone.template, name) is not None


def test_version_is_the_distributions() -> None:
    assert cyclone.template.__version__ == version("cyclone-template")


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(cyclone.template, "no_such_name")


def test_importing_loads_nothing_heavy() -> None:
    heavy = {"asyncio", "twisted", "json", "datetime", "html", "urllib.parse", "ast"}
    code = f"import sys, cyclone.template; print(*sorted({heavy!r} & set(sys.modules)))"
    # -S: whatever the environment's own start-up files import does not count.
    paths = [path for path in sys.path if path]
    program = f"import sys; sys.path[:] = {paths!r}; {code}"
    result = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
