"""Ctrl-C that is not lost: Python drops a `KeyboardInterrupt` that meets a callback of C code."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


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

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
