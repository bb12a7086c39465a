"""Signal handling: Ctrl-C and SIGTERM ask a running training to save and stop."""

import contextlib
import signal

from absl import logging

# Signals of Ctrl-C, of `kill`, and of Ctrl-Break, which only Windows has.
STOPPING = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGBREAK", signal.SIGTERM)}


class StopRequest:
    """A request to stop, which a signal makes.

    Attributes:
      signal: number of the signal that has asked to stop; 0 if none has.
    """

    signal = 0

    def __call__(self):
        """Returns the number of the signal that has asked to stop; 0 if none has."""
        return self.signal


@contextlib.contextmanager
def stop_signals():
    """Turns the first signal of `STOPPING` inside the `with` block into a request to stop.

    A second signal has its usual effect again, which ends the process.

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
