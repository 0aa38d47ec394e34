"""examples/static_site: a site in two languages from templates, translations and TOML."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from cyclone import locale

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "static_site"

pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the examples are not in the sdist")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("site") / "out"
    run = subprocess.run(
        [sys.executable, EXAMPLE / "build.py", output], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"7 pages in {output}\n"
    return output


@pytest.fixture
def build() -> Iterator[ModuleType]:
    """The example as a module; the default locale it sets does not outlive the test."""
    spec = importlib.util.spec_from_file_location("static_site_build", EXAMPLE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
    locale.set_default_locale("en_US")


def page(site: Path, name: str) -> str:
    return (site / name).read_text("utf-8")


def test_every_page_is_there(site: Path) -> None:
    files = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.*"))
    assert files == [
        "en/first-seeds.html",
        "en/index.html",
        "en/slugs.html",
        "fr/first-seeds.html",
        "fr/index.html",
        "fr/slugs.html",
        "index.html",
        "style.css",
    ]


def test_every_link_leads_somewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        for href in re.findall(r'href="([^"]+)"', path.read_text("utf-8")):
            assert (path.parent / href).exists(), (path, href)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("index.html", ["The garden notebook / Le carnet du jardin", "English", "Français"]),
        ("en/index.html", ['<html lang="en" dir="ltr">', "<h1>2 notes</h1>", "May 2, 2026"]),
        ("fr/index.html", ['<html lang="fr" dir="ltr">', "<h1>2 notes</h1>", "2 mai 2026"]),
        (
            "en/first-seeds.html",
            [
                "<title>First seeds - The garden notebook</title>",
                "Depth &lt; 5 cm &amp; no watering",
                "Filed under beans, patience and rain",
                "Made with cyclone-template and cyclone-locale.",
            ],
        ),
        (
            "fr/first-seeds.html",
            [
                "<title>Premières graines - Le carnet du jardin</title>",
                '<time datetime="2026-03-14">14 mars 2026</time>',
                "Classé sous haricots, patience et pluie",
                "Fait avec cyclone-template et cyclone-locale.",
            ],
        ),
        ("en/slugs.html", ["Slugs &amp; other guests"]),
    ],
)
def test_the_text_of_the_pages(site: Path, name: str, texts: list[str]) -> None:
    content = page(site, name)
    for text in texts:
        assert text in content


def test_newest_note_first(site: Path) -> None:
    content = page(site, "en/index.html")
    assert content.index("slugs.html") < content.index("first-seeds.html")


def test_building_again_gives_the_same(site: Path, build: ModuleType, tmp_path: Path) -> None:
    for path in build.build(tmp_path):
        assert path.read_bytes() == (site / path.relative_to(tmp_path)).read_bytes()


def test_no_web_server_is_loaded(tmp_path: Path) -> None:
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['build.py', {str(tmp_path)!r}]\n"
        "try: runpy.run_path('build.py', run_name='__main__')\n"
        "except SystemExit as done: assert not done.code\n"
        "print(*sorted(m for m in sys.modules if m.startswith(('twisted', 'cyclone.'))))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=EXAMPLE, capture_output=True, text=True, check=True
    )
    loaded = {".".join(name.split(".")[:2]) for name in run.stdout.splitlines()[-1].split()}
    assert loaded == {"cyclone.escape", "cyclone.locale", "cyclone.template"}


def test_the_translations_are_up_to_date() -> None:
    extract = ["extract", "templates", "--check", "--csv", "translations"]
    run = subprocess.run(
        [sys.executable, "-m", "cyclone.locale", *extract],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("bad.toml", "date = ", "bad.toml"),
        ("bad.toml", "date = 2026-01-01\n[fr]\ntitle='x'\ntext='x'\n", "'en' is missing"),
        ("Bad Name.toml", "", "the file's name"),
        ("index.toml", "", "the file's name"),
    ],
)
def test_a_broken_note_is_named(
    build: ModuleType, tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(build.ContentError, match=message):
        build.read_notes(tmp_path, "en")


def test_wrong_usage(build: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main([]) == 2
    assert "Usage: python build.py" in capsys.readouterr().err
