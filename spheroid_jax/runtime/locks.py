"""File locks, which keep a second process out of a folder."""

import contextlib
import pathlib

import filelock


@contextlib.contextmanager
def locked(path, busy):
    """Holds an exclusive lock for the length of the `with` block.

    The operating system releases the lock when the process ends, however the process ends.

    Args:
      path: the lock file; made if missing, never removed.
      busy: message of the error when the lock is held elsewhere; None waits for the lock instead.

    Raises:
      BlockingIOError: the lock is held elsewhere, in this or another process.
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
