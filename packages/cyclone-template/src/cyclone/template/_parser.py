"""From tokens to nodes. No recursion: the nesting is a list, so its depth is only a number."""

from __future__ import annotations

import re

from . import _nodes as nodes
from ._errors import ParseError
from ._limits import MAX_DEPTH
from ._python import is_balanced, one_line
from ._whitespace import MODES, filter_whitespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._reader import Reader
    from ._template import Template

# Which directives a later clause can belong to.
_BRANCHES = {
    "else": frozenset({"if", "for", "while", "try"}),
    "elif": frozenset({"if"}),
    "except": frozenset({"try"}),
    "except*": frozenset({"try"}),
    "finally": frozenset({"try"}),
    "case": frozenset({"match"}),
}
_CONTROLS = frozenset({"if", "for", "while", "try", "with", "match", "async"})
_LOOPS = frozenset({"for", "while"})
_FORBIDDEN = re.compile(r"\b(?:yield|return)\b")


def parse(reader: Reader, template: Template, whitespace: str) -> nodes.File:
    """Parse a whole file. Raises :class:`ParseError`."""
    return _Parser(reader, template, whitespace).run()


class _Parser:
    def __init__(self, reader: Reader, template: Template, whitespace: str) -> None:
        self.reader = reader
        self.template = template
        self.whitespace = whitespace
        self.file = nodes.File(template)
        self.open: list[nodes.Body] = []
        self.body: list[nodes.Node] = self.file.children

    def run(self) -> nodes.File:
        most = 2 * self.template.limits.max_directives
        for count, (kind, contents, line) in enumerate(self.reader.tokens()):
            if count > most:
                # The real count, after includes, is the code generator's; this one saves memory.
                raise self.fail(f"more than {most // 2} directives")
            if kind == "text":
                self.text(contents, line)
            elif kind == "{{":
                if not contents:
                    raise self.fail("Empty expression", "{{ }}")
                self.body.append(nodes.Expression(line, self.python(contents, "{{ %s }}")))
            else:
                self.directive(contents, line)
        if self.open:
            last = self.open[-1]
            message = f"Missing {{% end %}} block for {last.operator}"
            raise ParseError(message, self.reader.name, last.line, last.directive)
        return self.file

    def fail(self, message: str, directive: str = "") -> ParseError:
        return self.reader.fail(message, directive)

    def text(self, value: str, line: int) -> None:
        # What stands in <pre> must keep its spaces; looking for the tag is crude but predictable.
        if "<pre>" not in value:
            value = filter_whitespace(self.whitespace, value)
        if value:
            self.body.append(nodes.Text(line, value))

    def python(self, code: str, form: str = "{%% %s %%}") -> str:
        """Check that ``code`` can be put into a program without reaching outside its place."""
        if "\x00" in code:
            raise self.fail("null character in a directive")
        if not is_balanced(code):
            raise self.fail("unfinished string or bracket", form % code)
        if ("yield" in code or "return" in code) and _FORBIDDEN.match(code):
            raise self.fail("a template cannot use yield or return", form % code)
        return one_line(code)

    def directive(self, contents: str, line: int) -> None:
        if not contents:
            raise self.fail("Empty block tag ({% %})")
        operator, *rest = contents.split(None, 1)
        suffix = rest[0] if rest else ""
        directive = f"{{% {contents} %}}"
        handler = _HANDLERS.get(operator)
        if handler is not None:
            handler(self, operator, suffix, directive, line)
        elif operator in _BRANCHES:
            self.branch(operator, contents, directive, line)
        elif operator in _CONTROLS or "(" in operator:
            self.control(operator, contents, directive, line)
        elif operator != "comment":
            hint = ": every block ends with {% end %}" if operator.startswith("end") else ""
            raise self.fail(f"unknown operator: {operator!r}{hint}", directive)

    # Directives with content

    def push(self, body: nodes.Body) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise self.fail(f"directives nested more than {MAX_DEPTH} deep", body.directive)
        self.body.append(body)
        self.open.append(body)
        self.body = body.children

    def control(self, operator: str, contents: str, directive: str, line: int) -> None:
        keyword = re.match(r"(?:async\s+)?(\w*)", contents)
        word = keyword[1] if keyword else operator
        if word not in _CONTROLS:
            raise self.fail(f"unknown operator: {operator!r}", directive)
        code = self.python(contents)
        if code == word and word != "try":
            raise self.fail(f"{word} missing expression", directive)
        self.push(nodes.Control(line, word, directive, code))

    def branch(self, operator: str, contents: str, directive: str, line: int) -> None:
        parents = _BRANCHES.get(operator, frozenset())
        names = "/".join(sorted(parents))
        if not self.open:
            raise self.fail(f"{operator} outside {names} block", directive)
        current = self.open[-1]
        if not isinstance(current, nodes.Control) or current.operator not in parents:
            raise self.fail(
                f"{operator} block cannot be attached to {current.operator} block", directive
            )
        alone = contents == operator
        if alone and operator in ("elif", "case"):
            raise self.fail(f"{operator} missing expression", directive)
        if (
            not alone
            and operator in ("else", "finally")
            and not contents[len(operator) :].isspace()
        ):
            raise self.fail(f"{operator} takes no expression", directive)
        branch = nodes.Branch(line, operator, directive, self.python(contents))
        current.branches.append(branch)
        self.body = branch.children

    def end(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if not self.open:
            raise self.fail("Extra {% end %} block", directive)
        done = self.open.pop()
        if isinstance(done, nodes.Control):
            self.check(done)
        self.body = self.file.children
        if self.open:
            parent = self.open[-1]
            self.body = parent.children
            if isinstance(parent, nodes.Control) and parent.branches:
                self.body = parent.branches[-1].children

    def check(self, done: nodes.Control) -> None:
        if done.operator == "match":
            self.check_match(done)
        elif done.operator == "try" and all(branch.operator == "else" for branch in done.branches):
            raise ParseError(
                "try without except or finally", self.reader.name, done.line, done.directive
            )

    def check_match(self, match: nodes.Control) -> None:
        for child in match.children:
            if not isinstance(child, nodes.Text) or child.value.strip():
                message = "only white space can stand before the first case"
                raise ParseError(message, self.reader.name, child.line, match.directive)
        if not match.branches:
            raise ParseError("match without a case", self.reader.name, match.line, match.directive)
        match.children.clear()

    def apply(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if not suffix:
            raise self.fail("apply missing method name", directive)
        self.push(nodes.Apply(line, operator, directive, self.python(suffix)))

    def block(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if not suffix:
            raise self.fail("block missing name", directive)
        if suffix in self.file.blocks:
            raise self.fail(f"block {suffix!r} is defined twice", directive)
        block = nodes.Block(line, operator, directive, suffix, self.template)
        self.push(block)
        self.file.blocks[suffix] = block
        self.file.includes.append(block)

    # Directives without content

    def extends(self, operator: str, suffix: str, directive: str, line: int) -> None:
        name = suffix.strip('"').strip("'")
        if not name:
            raise self.fail("extends missing file path", directive)
        if self.open:
            raise self.fail("extends must not stand inside another directive", directive)
        if self.file.extends is not None:
            raise self.fail("a template can extend only one other", directive)
        self.file.extends = name
        self.file.extends_line = line

    def include(self, operator: str, suffix: str, directive: str, line: int) -> None:
        name = suffix.strip('"').strip("'")
        if not name:
            raise self.fail("include missing file path", directive)
        node = nodes.Include(line, name)
        self.body.append(node)
        self.file.includes.append(node)

    def set(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if not suffix:
            raise self.fail("set missing statement", directive)
        self.body.append(nodes.Statement(line, self.python(suffix)))

    def imports(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if not suffix:
            raise self.fail("import missing statement", directive)
        self.body.append(nodes.Statement(line, self.python(f"{operator} {suffix}")))

    def autoescape(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if not suffix:
            raise self.fail("autoescape missing function name", directive)
        self.template.autoescape = None if suffix == "None" else self.python(suffix)

    def set_whitespace(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if suffix not in MODES:
            raise self.fail(f"unknown whitespace mode {suffix!r}", directive)
        self.whitespace = suffix

    def raw(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if not suffix:
            raise self.fail("raw missing expression", directive)
        self.body.append(nodes.Expression(line, self.python(suffix), raw=True))

    def module(self, operator: str, suffix: str, directive: str, line: int) -> None:
        if not suffix:
            raise self.fail("module missing expression", directive)
        code = f"_tt_modules.{self.python(suffix)}"
        self.body.append(nodes.Expression(line, code, raw=True))

    def parent(self, operator: str, suffix: str, directive: str, line: int) -> None:
        for body in reversed(self.open):
            if isinstance(body, nodes.Block):
                self.body.append(nodes.Parent(line, body.name))
                return
        raise self.fail("super outside a block", directive)

    def jump(self, operator: str, suffix: str, directive: str, line: int) -> None:
        for body in reversed(self.open):
            if isinstance(body, nodes.Apply):
                # The content of apply is a function of its own.
                break
            if body.operator in _LOOPS:
                self.body.append(nodes.Statement(line, operator))
                return
        raise self.fail(f"{operator} outside for/while block", directive)


_HANDLERS = {
    "apply": _Parser.apply,
    "autoescape": _Parser.autoescape,
    "block": _Parser.block,
    "break": _Parser.jump,
    "continue": _Parser.jump,
    "end": _Parser.end,
    "extends": _Parser.extends,
    "from": _Parser.imports,
    "import": _Parser.imports,
    "include": _Parser.include,
    "module": _Parser.module,
    "raw": _Parser.raw,
    "set": _Parser.set,
    "super": _Parser.parent,
    "whitespace": _Parser.set_whitespace,
}
