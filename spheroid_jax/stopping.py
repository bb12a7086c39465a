"""Asks a running training to save and stop (Ctrl-C, SIGTERM)."""

import contextlib
import signal

from absl import logging


class StopRequest:
    """Whether, and by which signal, the process was asked to stop."""

    signal = None

    def __call__(self):
        """Tells whether to stop."""
        return self.signal is not None


@contextlib.contextmanager
def stop_signals():
    """Turns the first SIGINT or SIGTERM into a request; a second one kills.

    Yields:
      `StopRequest`.
    """
    request = StopRequest()
    before = {}

    def ask(number, frame):
        del frame
        request.signal = number
        for each, handler in before.items():
            signal.signal(each, handler)
        logging.info("Saving and stopping; once more stops at once.")

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, ask)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
