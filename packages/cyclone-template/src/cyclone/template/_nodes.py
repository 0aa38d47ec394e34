"""The parts of a parsed template."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._template import Template


class Node:
    """A part of a template that begins at ``line`` of its file."""

    __slots__ = ("line",)

    def __init__(self, line: int) -> None:
        self.line: int = line


class Text(Node):
    """Literal output."""

    __slots__ = ("value",)

    def __init__(self, line: int, value: str) -> None:
        self.line = line
        self.value = value


class Expression(Node):
    """A value to print; ``raw`` ones are not escaped."""

    __slots__ = ("code", "raw")

    def __init__(self, line: int, code: str, raw: bool = False) -> None:
        self.line = line
        self.code = code
        self.raw = raw


class Statement(Node):
    """A simple Python statement: ``set``, ``import``, ``from``, ``break``, ``continue``."""

    __slots__ = ("code",)

    def __init__(self, line: int, code: str) -> None:
        self.line = line
        self.code = code


class Parent(Node):
    """``{% super %}``: the parent's version of the block named ``block``."""

    __slots__ = ("block", "level")

    def __init__(self, line: int, block: str) -> None:
        self.line = line
        self.block = block


class Include(Node):
    """Another template put in this place."""

    __slots__ = ("name",)

    def __init__(self, line: int, name: str) -> None:
        self.line = line
        self.name = name


class Body(Node):
    """A directive with content up to its ``{% end %}``.

    ``operator`` is its first word and ``directive`` the whole of it, for messages.
    """

    __slots__ = ("children", "directive", "operator")

    def __init__(self, line: int, operator: str, directive: str) -> None:
        self.line = line
        self.operator: str = operator
        self.directive: str = directive
        self.children: list[Node] = []


class Control(Body):
    """A compound Python statement; ``branches`` are its later clauses (``else``, ``except``...)."""

    __slots__ = ("branches", "code")

    def __init__(self, line: int, operator: str, directive: str, code: str) -> None:
        super().__init__(line, operator, directive)
        self.code = code
        self.branches: list[Branch] = []


class Branch(Body):
    """A later clause of a compound statement."""

    __slots__ = ("code",)

    def __init__(self, line: int, operator: str, directive: str, code: str) -> None:
        super().__init__(line, operator, directive)
        self.code = code


class Apply(Body):
    """A function applied to the output of its content."""

    __slots__ = ("code",)

    def __init__(self, line: int, operator: str, directive: str, code: str) -> None:
        super().__init__(line, operator, directive)
        self.code = code


class Block(Body):
    """A named part that a child template can replace."""

    __slots__ = ("name", "template")

    def __init__(
        self, line: int, operator: str, directive: str, name: str, template: Template
    ) -> None:
        super().__init__(line, operator, directive)
        self.name = name
        self.template: Template = template


class File(Body):
    """A whole template file; ``extends`` is the name of its parent and ``extends_line`` where."""

    __slots__ = ("blocks", "extends", "extends_line", "includes", "template")

    def __init__(self, template: Template) -> None:
        super().__init__(1, "", "")
        self.template: Template = template
        self.extends: str | None = None
        self.extends_line: int = 0
        self.blocks: dict[str, Block] = {}
        self.includes: list[Include | Block] = []
