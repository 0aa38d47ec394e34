"""HTTPFile: an uploaded file, in memory or in a temporary file on disk."""

import io
import os
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, overload

_COPY_SIZE: Final = 1 << 18


class HTTPFile(MutableMapping[str, Any]):
    """An uploaded file. ``file["filename"]`` and ``file.filename`` are the same.

    - ``filename``: the base name the client gave (text; never a path);
    - ``content_type``: the ``Content-Type`` header of the part as sent;
    - ``body``: the content as bytes. When it was spooled to disk, each access reads all of it;
    - ``size``: its length in bytes;
    - ``file``: a seekable binary file with the content, at position 0 at first;
    - ``save(path)``: copy the content to a file.

    The temporary file has no name and vanishes when it is closed or collected.
    """

    if TYPE_CHECKING:
        filename: str
        content_type: str
        body: bytes

    __slots__ = ("_file", "_items", "_size")
    _items: dict[str, Any]
    _file: BinaryIO | None
    _size: int

    def __init__(
        self,
        filename: str = "",
        body: bytes | None = None,
        content_type: str = "application/unknown",
        *,
        file: BinaryIO | None = None,
        **extra: object,
    ) -> None:
        """Give either ``body`` or ``file``, an open seekable binary file."""
        self._items = {"filename": filename, "content_type": content_type, **extra}
        self._file = file
        self._size = -1
        if body is not None or file is None:
            self._items["body"] = body or b""
        else:
            self._size = _size_of(file)

    @property
    def size(self) -> int:
        """The length of the content in bytes."""
        return self._size if self._size >= 0 else len(self._items["body"])

    @property
    def spooled(self) -> bool:
        """Whether the content is in a temporary file and not in memory."""
        return self._size >= 0

    @property
    def file(self) -> BinaryIO:
        """A seekable binary file with the content; the same object each time."""
        file = self._file
        if file is None:
            file = self._file = io.BytesIO(self._items["body"])
        return file

    def save(self, path: str | os.PathLike[str]) -> None:
        """Copy the content to ``path``, replacing a file that is there. Blocks while it writes.

        Give a path of your own: ``filename`` was chosen by the client.
        """
        from shutil import copyfileobj

        with open(path, "wb") as target:
            if self._size < 0:
                target.write(self._items["body"])
                return
            source = self.file
            position = source.tell()
            source.seek(0)
            try:
                copyfileobj(source, target, _COPY_SIZE)
            finally:
                source.seek(position)

    def close(self) -> None:
        """Free the temporary file now. The content is gone then."""
        if self._file is not None:
            self._file.close()

    def _read(self) -> bytes:
        source = self.file
        position = source.tell()
        source.seek(0)
        try:
            return source.read()
        finally:
            source.seek(position)

    @overload
    def __getitem__(self, name: Literal["filename", "content_type"]) -> str: ...
    @overload
    def __getitem__(self, name: Literal["body"]) -> bytes: ...
    @overload
    def __getitem__(self, name: str) -> Any: ...
    def __getitem__(self, name: str) -> Any:
        if name == "body" and "body" not in self._items:
            return self._read()
        return self._items[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name == "body":
            self._size = -1
            self._file = None
        self._items[name] = value

    def __delitem__(self, name: str) -> None:
        del self._items[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._items
        if "body" not in self._items:
            yield "body"

    def __len__(self) -> int:
        return len(self._items) + ("body" not in self._items)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in HTTPFile.__slots__:
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __repr__(self) -> str:
        # Neither the content (private, large) nor a path
        return (
            f"HTTPFile(filename={self._items['filename']!r}, "
            f"content_type={self._items['content_type']!r}, size={self.size})"
        )


def _size_of(file: BinaryIO) -> int:
    position = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(position)
    return size
