"""What the log shows: our lines, without the libraries' chatter."""

import logging
import pathlib

_FORMAT = "%(asctime)s %(message)s"


def hide(library, below=logging.ERROR):
    """Drops a library's own records in absl's log.

    Args:
      library: name of its folder in site-packages.
      below: records of this level and above are shown all the same.
    """

    def keep(record):
        ours = library not in pathlib.PurePath(record.pathname).parts
        return ours or record.levelno >= below

    logging.getLogger("absl").addFilter(keep)


def plain(handler):
    """Gives a log handler lines of time and message, ours and warnings."""
    handler.setFormatter(logging.Formatter(_FORMAT, "%H:%M:%S"))
    for library in ("jax", "matplotlib"):
        logging.getLogger(library).setLevel(logging.WARNING)
