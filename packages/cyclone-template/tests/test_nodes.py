"""The parsed form."""

from cyclone.template import Template
from cyclone.template import _nodes as nodes


def test_a_file_knows_its_parts() -> None:
    source = "a{% block b %}{{ x }}{% end %}{% if y %}{% include z %}{% else %}c{% end %}"

    class Loader:
        autoescape = None
        whitespace = None

        def __init__(self) -> None:
            self.namespace: dict[str, object] = {}

        def load(self, name: str, parent_path: str | None = None) -> Template:
            return Template("", name=name)

    loader: object = Loader()
    file = Template(source, loader=loader).file  # type: ignore[arg-type]
    text, block, control = file.children
    assert isinstance(text, nodes.Text)
    assert isinstance(block, nodes.Block)
    assert isinstance(control, nodes.Control)
    assert [branch.operator for branch in control.branches] == ["else"]
    assert file.blocks == {"b": block}
    assert [type(part) for part in file.includes] == [nodes.Block, nodes.Include]
