"""Text of plate maps: UTF-8, with a line for every other encoding."""

import os
import pathlib

from spheroid_jax.plates.layout_fields import LayoutError

_AS_UTF_8 = "save it as 'CSV UTF-8', or as text with the encoding UTF-8"
# The first bytes of files that are no UTF-8 text, and what to do with them.
_HEADS = {
    b"PK\x03\x04": "is an Excel file or another archive; give it the suffix .xlsx if it is one",
    b"\xd0\xcf\x11\xe0": "is an old Excel file or has a password; save it as .xlsx without one",
    b"\xff\xfe": f"is text in UTF-16 ('Unicode Text'); {_AS_UTF_8}",
    b"\xfe\xff": f"is text in UTF-16; {_AS_UTF_8}",
}


def read(path: str | os.PathLike) -> str:
    """Reads a text in UTF-8, with or without a mark at its beginning.

    Raises:
      LayoutError: empty, in another encoding, or no text at all.
      OSError: the file cannot be read.
    """
    content = pathlib.Path(path).read_bytes()
    for head, problem in _HEADS.items():
        if content.startswith(head):
            raise LayoutError(f"{path}: {problem}")
    if b"\0" in content:
        raise LayoutError(f"{path}: is neither text in UTF-8 nor an Excel file; {_AS_UTF_8}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise LayoutError(
            f"{path}, line {line}, character {column}: the byte {error.object[error.start]:#04x} "
            f"is not UTF-8 (it may be Windows-1252); {_AS_UTF_8}"
        ) from None
    if not text.strip():
        raise LayoutError(f"{path}: is empty; `spheroid plate template` writes a map to fill in")
    return text
