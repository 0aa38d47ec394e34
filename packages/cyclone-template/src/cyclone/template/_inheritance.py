"""Which version of a block is shown: children before parents."""

from __future__ import annotations

from ._errors import ParseError, TemplateNotFoundError
from ._limits import MAX_FILES
from ._nodes import Block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._loader import BaseLoader
    from ._template import Template


class Chain:
    """A template and what it extends, youngest first, with the blocks each of them defines."""

    def __init__(self, template: Template) -> None:
        self.templates = _ancestors(template)
        self.root = self.templates[-1]
        self._versions: dict[str, list[Block]] = {}
        for member in self.templates:
            for name, block in _defined(member).items():
                self._versions.setdefault(name, []).append(block)

    def block(self, name: str, level: int) -> Block | None:
        """The version of a block ``level`` steps above the youngest, or None."""
        versions = self._versions.get(name, [])
        return versions[level] if level < len(versions) else None


def _ancestors(template: Template) -> list[Template]:
    chain = [template]
    while (parent := chain[-1].file.extends) is not None:
        child = chain[-1]
        loaded = load_parsed(child, parent, child.file.extends_line)
        if loaded in chain:
            cycle = " -> ".join(member.name for member in (*chain, loaded))
            raise ParseError(f"extends cycle: {cycle}", child.name, child.file.extends_line)
        if len(chain) >= MAX_FILES:
            raise ParseError(
                f"more than {MAX_FILES} levels of extends", child.name, child.file.extends_line
            )
        chain.append(loaded)
    return chain


def _defined(template: Template) -> dict[str, Block]:
    """The blocks of a file and of the files it includes; of two of one name the last counts."""
    blocks: dict[str, Block] = {}
    seen = {template}
    stack: list[tuple[Template, int]] = [(template, 0)]
    while stack:
        owner, index = stack.pop()
        parts = owner.file.includes
        while index < len(parts):
            part = parts[index]
            index += 1
            if isinstance(part, Block):
                blocks[part.name] = part
                continue
            included = load_parsed(owner, part.name, part.line)
            # A file seen before has nothing new, and a cycle is reported where it is written out.
            if included not in seen and included.file.extends is None:
                seen.add(included)
                stack.append((owner, index))
                owner, index, parts = included, 0, included.file.includes
    return blocks


def load_parsed(template: Template, name: str, line: int) -> Template:
    """The template ``name`` as seen from ``template``, parsed but perhaps not compiled.

    Raises :class:`TemplateNotFoundError`, or :class:`ParseError` for a name that is refused.
    """
    loader = template.loader
    if loader is None:
        message = f"extends and include need a template loader ({name!r})"
        raise ParseError(message, template.name, line)
    try:
        return _load(loader, name, template.name)
    except ParseError:
        raise
    except (FileNotFoundError, KeyError):
        message = f"template {name!r} does not exist"
        raise TemplateNotFoundError(message, template.name, line) from None
    except ValueError as error:
        raise ParseError(str(error), template.name, line) from None


def _load(loader: BaseLoader, name: str, parent: str) -> Template:
    from ._loader import BaseLoader

    if type(loader).load is BaseLoader.load:
        return loader.load_parsed(name, parent)
    # Somebody's own way of loading goes before ours.
    return loader.load(name, parent)
