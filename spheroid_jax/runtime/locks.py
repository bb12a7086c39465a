"""File locks that keep a second process out of a folder."""

import contextlib
import pathlib

import filelock


@contextlib.contextmanager
def locked(path, busy):
    """Holds an exclusive lock during the `with` block.

    The operating system releases the lock when the process ends, even if the process is killed.

    Args:
      path: the lock file, which is made if it is missing, and never removed.
      busy: message of the error if the lock is taken; None to wait for the lock instead.

    Raises:
      BlockingIOError: another process, or another block of this process, holds the lock.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A soft lock would outlive a killed process.
    lock = filelock.FileLock(path, preserve_lock_file=True, fallback_to_soft=False)
    try:
        lock.acquire(blocking=busy is None)
    except filelock.Timeout:
        raise BlockingIOError(busy) from None
    try:
        yield
    finally:
        lock.release()
