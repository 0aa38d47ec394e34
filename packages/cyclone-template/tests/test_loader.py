"""Loaders: names, caching, threads."""

import threading
from pathlib import Path

import pytest

from cyclone.template import (
    BaseLoader,
    DictLoader,
    Limits,
    Loader,
    PackageLoader,
    ParseError,
    Template,
    TemplateLoader,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "templates-other").mkdir()
    (tmp_path / "templates-other" / "x.txt").write_text("other")
    (folder / "x.txt").write_text("x {{ y }}")
    (folder / "a" / "1.txt").write_text("{% include '2.txt' %}")
    (folder / "a" / "2.txt").write_text("{% include ../b/3.txt %}")
    (folder / "b" / "3.txt").write_bytes("é".encode())
    return folder


def test_files(root: Path) -> None:
    loader = Loader(str(root))
    assert loader.load("x.txt").generate(y=1) == b"x 1"
    assert loader.load("a/1.txt").generate() == "é".encode()
    assert loader.load("a/../x.txt") is loader.load("x.txt")
    assert loader.load(str(root / "x.txt")) is loader.load("x.txt")
    assert Loader(root).load("x.txt").path == str(root / "x.txt")


def test_the_overviews_name() -> None:
    assert TemplateLoader is Loader


def test_a_missing_file_is_an_os_error(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Loader(root).load("none.txt")
    with pytest.raises(KeyError):
        DictLoader({}).load("none")


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "a/../../secret.txt",
        "/etc/passwd",
        "..",
        "../templates-other/x.txt",
        "x\0y",
    ],
)
def test_lg10_a_name_that_leaves_the_root_is_refused(root: Path, name: str) -> None:
    """LG-10."""
    loader = Loader(root)
    with pytest.raises(ValueError, match="leads out of the loader's root"):
        loader.load(name)
    for directive in ("include", "extends"):
        (root / "bad.txt").write_text(f"\n{{% {directive} {name} %}}", "utf-8")
        with pytest.raises(ParseError, match=r"(root|null character.*) at bad.txt:2"):
            loader.load("bad.txt")


def test_lg10_not_even_by_its_full_path(root: Path) -> None:
    with pytest.raises(ValueError, match="root"):
        Loader(root).load(str(root.parent / "secret.txt"))


def test_caching_and_reset(root: Path) -> None:
    loader = Loader(root)
    first = loader.load("x.txt")
    (root / "x.txt").write_text("new")
    assert loader.load("x.txt") is first
    loader.reset()
    assert loader.load("x.txt").generate() == b"new"


def test_a_broken_template_is_read_again(root: Path) -> None:
    loader = Loader(root)
    (root / "main.txt").write_text("{% include part.txt %}")
    (root / "part.txt").write_text("{{ x + }}")
    for _ in range(2):
        with pytest.raises(ParseError, match=r"at part.txt:1"):
            loader.load("main.txt")
    (root / "part.txt").write_text("fine")
    assert loader.load("main.txt").generate() == b"fine"


def test_options_of_a_loader() -> None:
    loader = DictLoader(
        {"t.html": "{{ x }}  "}, autoescape=None, namespace={"x": "<"}, whitespace="all"
    )
    assert loader.load("t.html").generate() == b"<  "


def test_limits_of_a_loader() -> None:
    loader = DictLoader({"t": "x" * 100}, limits=Limits(max_size=99))
    with pytest.raises(ParseError, match="larger than 99"):
        loader.load("t")


def test_dict_loader_resolves_relative_names() -> None:
    loader = DictLoader({"a/1": "{% include 2 %}{% include ../b/3 %}", "a/2": "2", "b/3": "3"})
    assert loader.load("a/1").generate() == b"23"


def test_package_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "some_package_xyz" / "templates" / "sub"
    folder.mkdir(parents=True)
    (folder.parent.parent / "__init__.py").write_text("")
    (folder / "a.txt").write_text("{% include ../b.txt %}!")
    (folder.parent / "b.txt").write_text("b")
    monkeypatch.syspath_prepend(str(tmp_path))
    loader = PackageLoader("some_package_xyz")
    assert loader.load("sub/a.txt").generate() == b"b!"
    with pytest.raises(FileNotFoundError):
        loader.load("none.txt")
    with pytest.raises(ValueError, match="root"):
        loader.load("../__init__.py")
    with pytest.raises(ValueError, match="root"):
        PackageLoader("some_package_xyz", "../..")


def test_a_loader_of_ones_own() -> None:
    class Upper(BaseLoader):
        def resolve_path(self, name: str, parent_path: str | None = None) -> str:
            return name.upper()

        def _create_template(self, name: str) -> Template:
            return Template(f"{name}{{% include b %}}" if name == "A" else name, loader=self)

    loader = Upper()
    assert loader.load("a").generate() == b"AB"
    assert set(loader.templates) == {"A", "B"}
    with pytest.raises(NotImplementedError):
        BaseLoader().load("x")


def test_a_load_of_ones_own_serves_includes_too() -> None:
    class Prefix(DictLoader):
        def load(self, name: str, parent_path: str | None = None) -> Template:
            return super().load(f"v1-{name}", parent_path)

    loader = Prefix({"v1-a": "a{% include b %}", "v1-b": "b"})
    assert loader.load("a").generate() == b"ab"


def test_threads_share_a_loader_and_compile_once() -> None:
    made = []

    class Counting(DictLoader):
        def _create_template(self, name: str) -> Template:
            made.append(name)
            return super()._create_template(name)

    names = [f"t{i}" for i in range(20)]
    files = dict.fromkeys(names, "{% include part %}{{ x }}" * 20) | {"part": "p"}
    loader = Counting(files)
    barrier = threading.Barrier(8)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            barrier.wait(10)
            for name in names:
                if loader.load(name).generate(x=1) != b"p1" * 20:
                    raise AssertionError(name)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    assert sorted(made) == sorted([*names, "part"])
