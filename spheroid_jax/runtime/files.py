"""Atomic writes: a file is complete, or it is as it was before."""

import contextlib
import json
import os
import pathlib
import secrets
import stat
from typing import Any


@contextlib.contextmanager
def replacing(path, mode="w"):
    """Opens a temporary file that takes the place of `path` when the block ends.

    A crash, a full disk or an exception inside the block leaves `path` as it was. Permissions are
    those that `open` would leave: a new file gets what the umask allows, an existing file keeps its
    own. Missing parent folders are made.

    Args:
      path: the file to write.
      mode: "w" for text in UTF-8 without translation of newlines, "wb" for bytes.

    Yields:
      The open temporary file, which lies beside `path` and whose name begins with a dot.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    text: dict[str, Any] = {} if "b" in mode else {"newline": "", "encoding": "utf-8"}
    # Mode "x" lets the kernel apply the umask. Python can only read the umask by setting it, and
    # another thread's file made in between would be open to everybody.
    with open(temporary, mode.replace("w", "x"), **text) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            file.close()
            _keep_permissions(path, temporary)
            os.replace(temporary, path)
        except BaseException:
            # Closed first: Windows removes no open file. A full disk makes closing fail, too.
            with contextlib.suppress(OSError):
                file.close()
            os.unlink(temporary)
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
