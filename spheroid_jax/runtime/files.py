"""Files that are whole or absent, and folders that one process uses."""

import contextlib
import json
import os
import pathlib
import tempfile


def cache_folder(named=""):
    """The folder for what can be made again.

    Args:
      named: a folder that the user has chosen; "" for the user's cache folder.
    """
    if named:
        return pathlib.Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "spheroid_jax"


@contextlib.contextmanager
def replacing(path, mode="w"):
    """Opens a file that takes the place of `path` only when complete.

    A crash, a full disk or an exception inside leaves `path` as it was.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    newline = {} if "b" in mode else {"newline": "", "encoding": "utf-8"}
    file = tempfile.NamedTemporaryFile(  # noqa: SIM115 (closed below)
        mode, dir=path.parent, prefix=f".{path.name}.", delete=False, **newline
    )
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(file.name, 0o666 & ~_umask())
        os.replace(file.name, path)
    except BaseException:
        os.unlink(file.name)
        raise


def write_json(path, value):
    """Writes `value` as indented JSON, whole or not at all."""
    with replacing(path) as file:
        json.dump(value, file, indent=2, sort_keys=True)
        file.write("\n")


@contextlib.contextmanager
def locked(path, busy):
    """Holds an exclusive lock for the length of the `with` block.

    The operating system releases it when the process ends, however it ends.

    Args:
      path: the lock's file; made if missing, never removed.
      busy: message of the error when another process holds the lock; None
        waits for it instead.

    Raises:
      BlockingIOError: another process holds the lock.
    """
    import fcntl  # Not on Windows, where models load all the same.

    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise BlockingIOError(busy) from None
        yield


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
