"""Where templates come from."""

from __future__ import annotations

import os
import posixpath

from ._limits import DEFAULT_LIMITS, Limits
from ._template import Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from contextlib import AbstractContextManager
    from importlib.resources.abc import Traversable
    from typing import Any

    from ._template import Autoescape


class BaseLoader:
    """Loads templates by name and keeps them compiled.

    ``autoescape`` and ``whitespace`` are the defaults of its templates, ``namespace`` holds
    variables that all of them see. A subclass defines :meth:`resolve_path` and
    :meth:`_create_template`. Threads may share a loader.
    """

    def __init__(
        self,
        autoescape: Autoescape = "xhtml_escape",
        namespace: MutableMapping[str, Any] | None = None,
        whitespace: str | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        self.autoescape = autoescape
        self.namespace: MutableMapping[str, Any] = {} if namespace is None else namespace
        self.whitespace = whitespace
        self.limits: Limits = limits or DEFAULT_LIMITS
        self.templates: dict[str, Template] = {}
        from threading import RLock

        # Reentrant: compiling a template loads those it extends and includes.
        self.lock: AbstractContextManager[bool] = RLock()
        self._loading = 0

    def reset(self) -> None:
        """Forget the compiled templates, so that changed files are read again."""
        with self.lock:
            self.templates = {}

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """The full name of the template called ``name`` in the template ``parent_path``."""
        raise NotImplementedError

    def _create_template(self, name: str) -> Template:
        raise NotImplementedError

    def load(self, name: str, parent_path: str | None = None) -> Template:
        """The template of this name, from the cache if it was loaded before.

        Raises :class:`ParseError`, ``FileNotFoundError`` or ``KeyError`` if there is none, and
        ``ValueError`` for a name that leads out of the loader's root.
        """
        template = self.templates.get(name) if parent_path is None else None
        if template is not None and template.is_compiled():
            return template
        with self.lock:
            template = self.load_parsed(name, parent_path)
            if not self._loading and not template.is_compiled():
                try:
                    template.program  # noqa: B018 - compiles it
                except BaseException:
                    # Whatever has not been compiled may be what is wrong, and is read again.
                    for key in [k for k, v in self.templates.items() if not v.is_compiled()]:
                        del self.templates[key]
                    raise
            return template

    def load_parsed(self, name: str, parent_path: str | None = None) -> Template:
        """Like :meth:`load`, but the template may be compiled later (internal)."""
        name = self.resolve_path(name, parent_path=parent_path)
        with self.lock:
            template = self.templates.get(name)
            if template is None:
                self._loading += 1
                try:
                    template = self._create_template(name)
                finally:
                    self._loading -= 1
                self.templates[name] = template
            return template

    def defers_compiling(self) -> bool:
        """Whether a template made now is going to be compiled by the loader (internal)."""
        return self._loading > 0


def _relative(name: str, parent_path: str | None) -> str:
    """A template name seen from its parent's folder; names use ``/`` everywhere."""
    if parent_path and not parent_path.startswith(("<", "/")) and not name.startswith("/"):
        name = posixpath.join(posixpath.dirname(parent_path), name)
    return name


class DictLoader(BaseLoader):
    """Loads templates from a mapping of names to sources."""

    def __init__(
        self,
        dict: Mapping[str, str | bytes],
        autoescape: Autoescape = "xhtml_escape",
        namespace: MutableMapping[str, Any] | None = None,
        whitespace: str | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(autoescape, namespace, whitespace, limits=limits)
        self.dict = dict

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """The name as a key of the mapping; relative to its parent's folder."""
        joined = _relative(name, parent_path)
        return joined if joined == name else posixpath.normpath(joined)

    def _create_template(self, name: str) -> Template:
        return Template(self.dict[name], name=name, loader=self)


def _contained(name: str, parent_path: str | None) -> str:
    """The normal form of a name. Raises ``ValueError`` if it leads out of the root."""
    if os.sep != "/":
        name = name.replace(os.sep, "/")
    joined = posixpath.normpath(_relative(name, parent_path))
    outside = joined.startswith(("/", "../")) or joined == ".." or os.path.splitdrive(joined)[0]
    if outside or "\x00" in joined:
        raise ValueError(f"template name {name!r} leads out of the loader's root")
    return joined


class Loader(BaseLoader):
    """Loads templates from the files below ``root_directory``.

    Names are relative to the root, in ``extends`` and ``include`` to the file they stand in. A
    name that leads out of the root is refused with ``ValueError``; symbolic links are followed.
    """

    def __init__(
        self,
        root_directory: str | os.PathLike[str],
        autoescape: Autoescape = "xhtml_escape",
        namespace: MutableMapping[str, Any] | None = None,
        whitespace: str | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(autoescape, namespace, whitespace, limits=limits)
        self.root: str = os.path.abspath(root_directory)

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """The name relative to the root. An absolute path inside the root is accepted."""
        if name.startswith(self.root + os.sep):
            name = os.path.relpath(name, self.root)
            parent_path = None
        return _contained(name, parent_path)

    def _create_template(self, name: str) -> Template:
        path = os.path.join(self.root, *name.split("/"))
        with open(path, "rb") as file:
            # One more than the limit in bytes of the widest character is enough to see it passed.
            source = file.read(self.limits.max_size * 4 + 1)
        return Template(source, name=name, loader=self, path=path)


TemplateLoader = Loader


class PackageLoader(BaseLoader):
    """Loads templates from the folder ``path`` of an installed package, also from a zip file."""

    def __init__(
        self,
        package: str,
        path: str = "templates",
        autoescape: Autoescape = "xhtml_escape",
        namespace: MutableMapping[str, Any] | None = None,
        whitespace: str | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(autoescape, namespace, whitespace, limits=limits)
        from importlib.resources import files

        self.root: Traversable = files(package)
        for part in _contained(path, None).split("/"):
            if part != ".":
                self.root = self.root.joinpath(part)

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """The name relative to the folder."""
        return _contained(name, parent_path)

    def _create_template(self, name: str) -> Template:
        resource = self.root
        for part in name.split("/"):
            resource = resource.joinpath(part)
        return Template(resource.read_bytes(), name=name, loader=self)
