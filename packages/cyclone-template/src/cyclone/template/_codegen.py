"""From nodes to the source of one Python function.

Every line of that source remembers the template line it comes from, so that an error in it can be
shown where it was written. Text and values that follow each other are added to the output in one
operation.
"""

from __future__ import annotations

from itertools import chain

from . import _nodes as nodes
from ._codegen_loops import (
    SimpleLoop,
    is_choice,
    is_expression,
    prints_values,
    simple_loop,
    table_loop,
)
from ._codegen_output import (
    MANY,
    MAX_ITEMS,
    MAX_PAIRS,
    MAX_RUN,
    Item,
    chosen,
    concatenated,
    escaped_value,
    fused,
    is_literal,
    paired,
)
from ._errors import ParseError
from ._inheritance import Chain, load_parsed
from ._limits import MAX_DEPTH, MAX_FILES
from ._python import has_await, names_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from ._template import Template

_FAST_ESCAPES = ("xhtml_escape", "escape")


class Location:
    """A line of a template file; ``parent`` is the place that included it, if any."""

    __slots__ = ("line", "parent", "template")

    def __init__(self, template: Template, line: int, parent: Location | None) -> None:
        self.template: Template = template
        self.line: int = line
        self.parent: Location | None = parent

    def __str__(self) -> str:
        text = f"{self.template.name}:{self.line}"
        via = []
        parent = self.parent
        while parent is not None:
            via.append(f"{parent.template.name}:{parent.line}")
            parent = parent.parent
        return f"{text} (via {', '.join(via)})" if via else text


class Source:
    """Generated Python: its lines, where each comes from, and what it needs."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.locations: list[Location] = []
        self.snippets: list[tuple[str, Location]] = []
        self.expressions: set[str] = set()
        self.awaits: Location | None = None
        self.escapes: set[str] = set()
        self.defers = False
        self.functions: dict[str, object] = {}

    def names(self) -> set[str]:
        """Every name the template may look up in its namespace."""
        found: set[str] = set()
        for code in {code for code, _ in self.snippets}:
            found.update(names_in(code))
        return found


def generate(template: Template) -> Source:
    """Write the body of the function that renders ``template``. Raises :class:`ParseError`."""
    writer = _Writer(template)
    writer.file(Chain(template))
    writer.flush()
    return writer.source


class Deferral:
    """A loop whose values are escaped together; ``straight`` if each turn prints as many.

    ``begins`` says whether it prints a value first, None that it has printed nothing yet.
    """

    __slots__ = ("begins", "pairs", "straight")

    def __init__(self, straight: bool) -> None:
        self.begins: bool | None = None
        self.pairs = 0
        self.straight = straight

    def arguments(self) -> str:
        """The further arguments for ``_bulk.finished``."""
        if not self.straight:
            return "0"
        return f"{2 * self.pairs}" if self.begins else f"{2 * self.pairs}, 2"


class _Writer:
    """Writes the nodes of one template, with the files it includes and extends."""

    def __init__(self, template: Template) -> None:
        self.source = Source()
        self.template = template
        self.limits = template.limits
        self.count = 0
        self.indent = 1
        self.applied = 0
        self.in_try = 0
        self.parent: Location | None = None
        self.files: list[Template] = []
        self.chain = Chain(template)
        self.level = 0
        self.run: list[Item] = []
        # The loop whose values are collected to be escaped together, if one is being written.
        self.deferring: Deferral | None = None

    # Lines

    def line(self, code: str, location: Location) -> None:
        code = " " * self.indent + code
        # A string literal over several lines makes several lines of source.
        for part in code.split("\n") if "\n" in code else (code,):
            self.source.lines.append(part)
            self.source.locations.append(location)

    def at(self, node: nodes.Node) -> Location:
        return Location(self.template, node.line, self.parent)

    def python(self, code: str, location: Location) -> str:
        source = self.source
        source.snippets.append((code, location))
        if source.awaits is None and has_await(code):
            source.awaits = location
        return code

    def emit(self, item: Item) -> None:
        if self.in_try:
            # What was printed before an error stays printed, as in a program.
            self.flush()
        self.run.append(item)
        if len(self.run) >= MAX_ITEMS or self.in_try:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting to be added to the output, in as few operations as possible.

        ``_codegen_output`` tells the forms of it.
        """
        run = self.run
        if not run:
            return
        self.run = []
        if self.deferring is not None:
            pairs = list(paired(run))
            self.deferring.pairs += len(pairs)
            if self.deferring.begins is None:
                self.deferring.begins = run[0].deferred is not None
            for start in range(0, len(pairs), MAX_PAIRS):
                self.lines("_tt_out += (", chain(*pairs[start : start + MAX_PAIRS]), ")")
        elif len(run) >= MANY and len([item for item in run if item.deferred]) >= MANY:
            self.source.defers = True
            self.lines("_tt_out.append(_tt_end([", chain(*paired(run)), "], 0))")
        else:
            for start in range(0, len(run), MAX_RUN):
                self.lines("", fused(run[start : start + MAX_RUN]), "")

    def lines(self, head: str, lines: Iterable[tuple[str, Location]], tail: str) -> None:
        """Write lines with something before the first and after the last of them."""
        code, location = head, None
        for part, at in lines:
            if location is not None:
                self.line(code, location)
                code = ""
            code, location = code + part, at
        if location is not None:
            self.line(code + tail, location)

    # Nodes

    def file(self, chain: Chain) -> None:
        """Write a template in place: the outermost parent, with the blocks of its children."""
        outer = self.chain, self.level, self.template
        self.chain, self.level, self.template = chain, 0, chain.root
        self.files.append(chain.templates[0])
        self.children(chain.root.file.children)
        self.files.pop()
        self.chain, self.level, self.template = outer

    def children(self, children: Sequence[nodes.Node]) -> None:
        for child in children:
            self.count += 1
            if self.count > self.limits.max_directives:
                raise self.fail(f"more than {self.limits.max_directives} directives", child)
            _WRITERS[type(child)](self, child)

    def fail(self, message: str, node: nodes.Node) -> ParseError:
        directive = node.directive if isinstance(node, nodes.Body) else ""
        return ParseError(message, self.template.name, node.line, directive)

    def body(self, children: Sequence[nodes.Node], location: Location) -> None:
        self.flush()
        self.indent += 1
        if self.indent > MAX_DEPTH:
            message = f"directives nested more than {MAX_DEPTH} deep"
            raise ParseError(message, location.template.name, location.line)
        before = len(self.source.lines)
        self.children(children)
        self.flush()
        if len(self.source.lines) == before:
            self.line("pass", location)
        self.indent -= 1

    def text(self, node: nodes.Text) -> None:
        run = self.run
        literal = repr(node.value)
        if run and is_literal(run[-1].code):
            # The parser never leaves two texts side by side, but comments and blocks do.
            literal = f"{run.pop().code} {literal}"
        run.append(Item(literal, self.at(node)))
        if len(run) >= MAX_ITEMS:
            self.flush()

    def expression(self, node: nodes.Expression) -> None:
        location = self.at(node)
        code = self.python(node.code, location)
        self.source.expressions.add(code)
        if not code.isidentifier():
            code = f"({code}\n)" if "#" in code else f"({code})"
        autoescape = self.template.autoescape
        if node.raw or autoescape is None:
            item = Item(f"_tt_s({code}, _tt_p)", location)
        elif not isinstance(autoescape, str):
            function = f"_tt_f{len(self.source.functions)}"
            self.source.functions[function] = autoescape
            item = Item(f"_tt_c({code}, {function}, _tt_p)", location)
        elif autoescape in _FAST_ESCAPES:
            self.source.escapes.add(autoescape)
            item = escaped_value(code, autoescape, location)
        else:
            function = self.python(autoescape, location)
            item = Item(f"_tt_c({code}, ({function}), _tt_p)", location)
        self.emit(item)

    def statement(self, node: nodes.Statement) -> None:
        self.flush()
        location = self.at(node)
        if self.deferring is not None and node.code in ("break", "continue"):
            self.deferring.straight = False
        self.line(self.python(node.code, location), location)

    def control(self, node: nodes.Control) -> None:
        location = self.at(node)
        fast = self.template.autoescape in (None, *_FAST_ESCAPES)
        if node.operator in ("for", "while", "async") and fast and self.deferring is None:
            loop = simple_loop(node) or table_loop(node)
            if loop is not None:
                self.joined_loop(node, loop, location)
            else:
                self.flush()
                self.loop(node, f"{self.python(node.code, location)}:", location)
        elif is_choice(node) and not self.in_try:
            self.choice(node, location)
        else:
            self.flush()
            self.compound(node, f"{self.python(node.code, location)}:", location)

    def loop(self, node: nodes.Control, head: str, location: Location) -> None:
        """A loop around which nothing is deferred yet: its own values may be."""
        if self.in_try or self.template.autoescape is None or not prints_values(node):
            self.compound(node, head, location)
            return
        self.source.defers = True
        self.line("_tt_before = _tt_out; _tt_out = []", location)
        self.deferring = deferring = Deferral(not node.branches)
        self.compound(node, head, location, nested=False)
        self.deferring = None
        end = f"_tt_end(_tt_out, {deferring.arguments()})"
        self.line(f"_tt_before.append({end}); _tt_out = _tt_before", location)

    def choice(self, node: nodes.Control, location: Location) -> None:
        """An ``if`` between single texts or values: a conditional expression among the values."""
        run, self.run = self.run, []
        branches: list[tuple[str, Item]] = []
        parts: list[nodes.Control | nodes.Branch] = [node, *node.branches]
        for branch in parts:
            self.children(branch.children)
            item = self.run.pop() if self.run else Item("''", location)
            condition = ""
            if branch.operator != "else":
                condition = self.python(branch.code, location).removeprefix("el").removeprefix("if")
            branches.append((condition, item))
        if branches[-1][0]:
            branches.append(("", Item("''", location)))
        self.run = run
        self.emit(chosen(branches, location))

    def joined_loop(self, node: nodes.Control, loop: SimpleLoop, location: Location) -> None:
        """A loop that may be done by joining a list; if not, it is run as it is written."""
        prefix = ""
        if len(self.run) == 1 and is_literal(self.run[0].code):
            # Text before the loop costs nothing as a part of the joined text.
            prefix = self.run.pop().code
        self.flush()
        self.python(node.code, location)
        temporary = f"_tt_v{self.indent}"
        escape = self.template.autoescape
        convert = "_tt_s"
        if not loop.raw and isinstance(escape, str):
            self.source.escapes.add(escape)
            convert = f"_tt_e_{escape}"
        inner = f"{loop.before!r}, {loop.after!r}"
        if loop.row is None:
            call = f"_tt_joined({temporary}, {convert}, {prefix or repr('')}, {inner})"
            last = f"{loop.target} = {temporary}[-1]"
        else:
            texts = f"{loop.row_before!r}, {inner}, {loop.row_after!r}"
            call = f"_tt_joined_rows({temporary}, {convert}, {prefix or repr('')}, {texts})"
            last = f"{loop.row} = {temporary}[-1]; {loop.target} = {loop.row}[-1]"
        self.line(f"{temporary} = {loop.values}", location)
        self.line(f"_tt_j = {call}", location)
        self.line("if _tt_j is None:", location)
        self.indent += 1
        if prefix:
            self.emit(Item(prefix, location))
            self.flush()
        self.loop(node, f"for {loop.row or loop.target} in {temporary}:", location)
        self.indent -= 1
        self.line("else:", location)
        self.line(f" {last}; _tt_out.append(_tt_j)", location)

    def compound(
        self, node: nodes.Control, head: str, location: Location, nested: bool = True
    ) -> None:
        if nested and self.deferring is not None:
            self.deferring.straight = False
        self.line(head, location)
        careful = node.operator in ("try", "with")
        match = node.operator == "match"
        self.in_try += careful
        self.indent += match
        if not match:
            self.body(node.children, location)
        for branch in node.branches:
            at = self.at(branch)
            self.line(f"{self.python(branch.code, at)}:", at)
            self.body(branch.children, at)
        self.indent -= match
        self.in_try -= careful

    def apply(self, node: nodes.Apply) -> None:
        location = self.at(node)
        if is_expression(node):
            outer = self.run, self.in_try, self.deferring
            self.run, self.in_try, self.deferring = [], 0, None
            self.children(node.children)
            content = concatenated(self.run)
            self.run, self.in_try, self.deferring = outer
            function = self.python(node.code, location)
            self.emit(Item(f"_tt_a(({function}), {content}, _tt_p)", location))
            return
        self.flush()
        name = f"_tt_apply{self.applied}"
        self.applied += 1
        self.line(f"def {name}():", location)
        define = len(self.source.lines) - 1
        self.indent += 1
        self.line("_tt_out = []", location)
        self.indent -= 1
        before = self.in_try, self.deferring
        self.in_try, self.deferring = 0, None
        self.body(node.children, location)
        self.in_try, self.deferring = before
        self.indent += 1
        self.line('return "".join(_tt_out)', location)
        self.indent -= 1
        call = f"{name}()"
        if has_await("".join(self.source.lines[define:])):
            self.source.lines[define] = f"{' ' * self.indent}async def {name}():"
            call = f"await {call}"
        function = self.python(node.code, location)
        self.emit(Item(f"_tt_a(({function}), {call}, _tt_p)", location))

    def include(self, node: nodes.Include) -> None:
        included = load_parsed(self.template, node.name, node.line)
        if included in self.files:
            members = [*self.files[self.files.index(included) :], included]
            cycle = " -> ".join(member.name for member in members)
            raise ParseError(f"include cycle: {cycle}", self.template.name, node.line)
        if len(self.files) >= MAX_FILES:
            raise self.fail(f"includes nested more than {MAX_FILES} deep", node)
        outer = self.parent
        self.parent = self.at(node)
        if included.file.extends is None:
            # Its blocks can be replaced by the children of the file that includes it.
            template, self.template = self.template, included
            self.files.append(included)
            self.children(included.file.children)
            self.files.pop()
            self.template = template
        else:
            self.file(Chain(included))
        self.parent = outer

    def block(self, node: nodes.Block) -> None:
        self.version(node, node.name, 0)

    def super(self, node: nodes.Parent) -> None:
        self.version(node, node.block, self.level + 1)

    def version(self, node: nodes.Node, name: str, level: int) -> None:
        """Write one version of a block: level 0 is the youngest child's."""
        block = self.chain.block(name, level)
        if block is None:
            raise ParseError(
                f"block {name!r} has no parent version",
                self.template.name,
                node.line,
                "{% super %}",
            )
        outer = self.parent, self.template, self.level
        self.parent, self.template, self.level = self.at(node), block.template, level
        self.children(block.children)
        self.parent, self.template, self.level = outer


_WRITERS: dict[type[nodes.Node], Callable[[_Writer, Any], None]] = {
    nodes.Apply: _Writer.apply,
    nodes.Block: _Writer.block,
    nodes.Control: _Writer.control,
    nodes.Expression: _Writer.expression,
    nodes.Include: _Writer.include,
    nodes.Parent: _Writer.super,
    nodes.Statement: _Writer.statement,
    nodes.Text: _Writer.text,
}
