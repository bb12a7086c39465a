"""Atomic writes: after a crash, a file is complete or unchanged."""

import contextlib
import json
import os
import pathlib
import secrets
import stat
from typing import Any


@contextlib.contextmanager
def replacing(path, mode="w"):
    """Opens a temporary file that takes the place of `path` when the `with` block ends.

    A crash, a full disk or an exception inside the block leaves `path` unchanged. A new file gets
    the permissions that the umask allows, and an existing file keeps its permissions. Missing
    parent folders are made.

    Args:
      path: the file to write.
      mode: "w" for text in UTF-8 without translation of newlines, "wb" for bytes.

    Yields:
      The open temporary file, which lies beside `path` and whose name begins with a dot.

    Raises:
      OSError: the file cannot be written; the error names `path`.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not made of the file's name, which may be as long as names can be.
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    text: dict[str, Any] = {} if "b" in mode else {"newline": "", "encoding": "utf-8"}
    # In mode "x" the kernel applies the umask. Python can only read the umask by setting it, and a
    # file that another thread makes in between would be open to everybody.
    with open(temporary, mode.replace("w", "x"), **text) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            file.close()
            _keep_permissions(path, temporary)
            os.replace(temporary, path)
        except BaseException as error:
            # Closed first, because Windows removes no open file. On a full disk, closing fails too.
            with contextlib.suppress(OSError):
                file.close()
            os.unlink(temporary)
            if isinstance(error, OSError) and error.errno and error.filename in (None, temporary):
                raise OSError(error.errno, error.strerror, str(path)) from error
            raise


def _keep_permissions(path, temporary):
    """Gives `temporary` the permissions of `path` where `path` exists."""
    with contextlib.suppress(FileNotFoundError):
        os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode) & 0o777)


def write_json(path, value):
    """Writes `value` to `path` as indented JSON with sorted keys, atomically."""
    with replacing(path) as file:
        json.dump(value, file, indent=2, sort_keys=True)
        file.write("\n")
