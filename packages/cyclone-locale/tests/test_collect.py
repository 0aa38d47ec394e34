"""Collecting messages from a source tree."""

from pathlib import Path

import pytest

from cyclone.locale import TranslationError
from cyclone.locale._collect import Key, catalog, collect, find_sources

TREE = {
    "app.py": "# NOTE: a button\nlocale.translate('Sign out')\nx = _('file', 'files', n)\n",
    "templates/page.html": "{{ _('Sign out') }}\n{{ pgettext('law', 'right') }}\n",
    "templates/mail.txt": "{{ _('one', 'many', count=2) }}{{ _('a',) }}",
    "templates/logo.svg": "{{ _('no') }}",
    ".git/x.py": "_('no')",
    "venv/pyvenv.cfg": "",
    "venv/lib.py": "_('no')",
    "pkg/__pycache__/x.py": "_('no')",
    "pkg/node_modules/x.html": "{{ _('no') }}",
    "pkg/broken.html": "{{",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "src"


def names(tree: Path, *args: object) -> list[str]:
    found = find_sources([tree], *args)  # type: ignore[arg-type]
    return [path.relative_to(tree).as_posix() for path in found]


def test_find_sources(tree: Path) -> None:
    expected = ["app.py", "pkg/broken.html", "templates/mail.txt", "templates/page.html"]
    assert names(tree) == expected


@pytest.mark.parametrize(
    ("suffixes", "exclude", "expected"),
    [
        ([".svg"], [], ["app.py", "templates/logo.svg"]),
        ([".html"], ["broken.html"], ["app.py", "templates/page.html"]),
        ([".html"], ["pkg"], ["app.py", "templates/page.html"]),
        ([".html"], ["*/templates/*", "*/pkg"], ["app.py"]),
    ],
)
def test_which_sources(
    tree: Path, suffixes: list[str], exclude: list[str], expected: list[str]
) -> None:
    assert names(tree, suffixes, exclude) == expected


def test_a_file_by_its_name(tree: Path) -> None:
    assert list(find_sources([tree / "templates/logo.svg"])) == [tree / "templates/logo.svg"]
    with pytest.raises(FileNotFoundError, match="none"):
        list(find_sources([tree / "none"]))


def test_collect(tree: Path) -> None:
    found = collect(find_sources([tree], exclude=["pkg"]))
    assert list(found) == [
        Key("Sign out"),
        Key("file", "files"),
        Key("one", "many"),
        Key("a"),
        Key("right", None, "law"),
    ]
    uses = found[Key("Sign out")]
    page = (tree / "templates/page.html").as_posix()
    assert uses.locations == [((tree / "app.py").as_posix(), 2), (page, 1)]
    assert uses.comments == ["NOTE: a button"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("_('a', 'b', n)", [Key("a", "b")]),
        ("_('a', 'b', n,)", [Key("a", "b")]),
        ("_('a', b, n)", []),
        ("_(a)", []),
        ("'x'.translate(table)", []),
        ("pgettext('c', 'a')", [Key("a", None, "c")]),
        ("self.locale.pgettext('c', 'a', 'b', n)", [Key("a", "b", "c")]),
        ("ngettext('a', 'b', n)", [Key("a", "b")]),
        ("npgettext('c', 'a', 'b', n)", [Key("a", "b", "c")]),
        ("_('\\d')", [Key("\\d")]),
    ],
)
def test_forms_of_a_call(tmp_path: Path, call: str, expected: list[Key]) -> None:
    for name, text in (("a.py", call), ("a.html", f"{{{{ {call} }}}}")):
        path = tmp_path / name
        path.write_text(text)
        assert list(collect([path])) == expected


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.html", b"\n{{ _('a'", r"a\.html:2: \{\{ is not closed"),
        ("a.html", b"\n\xff", r"a\.html:2: not utf-8"),
        ("a.py", b"\n_('a'\n", r"a\.py:\d: not Python"),
        ("a.py", b"_('\xff')\n", r"a\.py: not (?i:utf-8) text"),
        ("a.py", b"if x:\n    y\n  z\n", r"a\.py:3: not Python"),
    ],
)
def test_a_broken_source_is_named(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(TranslationError, match=message):
        collect([path])


def test_catalog(tree: Path) -> None:
    found = collect(find_sources([tree], exclude=["pkg"]))
    made = catalog(found, "Shop", "1.0")
    assert made.project == "Shop"
    right = made.get("right", "law")
    assert right is not None
    assert right.context == "law"
    assert len(made) == 5
