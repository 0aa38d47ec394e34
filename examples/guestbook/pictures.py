"""Pictures that come with entries: known formats only, named by their content."""

import hashlib
from pathlib import Path

MAX_PICTURE = 2 * 1024 * 1024

# The first bytes say what a file is; its name and the Content-Type are only what somebody claims.
_FORMATS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}


class PictureError(ValueError):
    """A file that is not taken; the text is meant for the person who sent it."""


def keep(folder: Path, content: bytes) -> str:
    """Write a picture to the folder and return its file name. Works in a thread."""
    if len(content) > MAX_PICTURE:
        raise PictureError("This picture is too large.")
    suffix = next((name for start, name in _FORMATS.items() if content.startswith(start)), None)
    if suffix is None:
        raise PictureError("Only PNG, JPEG and GIF pictures are taken.")
    name = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
    path = folder / name
    if not path.exists():
        # Renaming is atomic: nobody sees half a picture.
        part = path.with_suffix(f".{id(content)}.part")
        part.write_bytes(content)
        part.replace(path)
    return name
