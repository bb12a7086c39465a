"""Handling of Ctrl-C where a `KeyboardInterrupt` does not do.

Python drops a `KeyboardInterrupt` that meets a callback of C code, and some libraries crash on one
while they are imported.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

# As shells report a process that was ended by SIGINT.
STATUS = 130


@contextlib.contextmanager
def ending(line: str) -> Iterator[None]:
    """Ends the process at Ctrl-C inside the `with` block, at once, with a line on stderr.

    For imports, before anything is written: neither `finally` nor `with` blocks are run.

    Args:
      line: what the user is told.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread can handle signals.
        return

    def end(number, frame):
        os.write(sys.stderr.fileno(), f"{line}\n".encode())
        os._exit(STATUS)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """Remembers Ctrl-C inside the `with` block, where it raises `KeyboardInterrupt` as usual.

    Yields:
      A function to call now and then: it raises `KeyboardInterrupt` if Ctrl-C was pressed, and the
      exception was dropped on its way.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None  # Only the main thread can handle signals.
        return

    def handle(number, frame):
        pressed.set()
        raise KeyboardInterrupt

    def check():
        if pressed.is_set():
            raise KeyboardInterrupt

    def report(dropped):
        # Where an exception is dropped, Python prints it; this one is not lost.
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            reporting(dropped)

    before, reporting = signal.signal(signal.SIGINT, handle), sys.unraisablehook
    sys.unraisablehook = report
    try:
        yield check
    finally:
        sys.unraisablehook = reporting
        signal.signal(signal.SIGINT, before)
