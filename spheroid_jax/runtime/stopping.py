"""Asks a running training to save and stop (Ctrl-C, SIGTERM)."""

import contextlib
import signal

from absl import logging


class StopRequest:
    """The signal by which the process was asked to stop, or 0."""

    signal = 0

    def __call__(self):
        """Returns the signal's number, or 0."""
        return self.signal


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
