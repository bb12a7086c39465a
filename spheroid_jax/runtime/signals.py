"""Signal handling: Ctrl-C and SIGTERM ask a running training to save and stop."""

import contextlib
import signal

from absl import logging

# Ctrl-C, `kill`, and Ctrl-Break, which only Windows has.
STOPPING = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGBREAK", signal.SIGTERM)}


class StopRequest:
    """The request to stop; true once a signal has asked.

    Attributes:
      signal: number of the signal that asked, or 0.
    """

    signal = 0

    def __call__(self):
        """Returns the number of the signal that asked, or 0."""
        return self.signal


@contextlib.contextmanager
def stop_signals():
    """Turns the first signal of `STOPPING` within the block into a request to stop.

    A second signal has the effect that it had before the block.

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

    for number in STOPPING:
        before[number] = signal.signal(number, ask)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
