"""Log format, and filters that hide the records of chatty libraries."""

import logging
import pathlib

_FORMAT = "%(asctime)s %(message)s"


def hide(library, below=logging.ERROR):
    """Hides the records that a library writes to absl's log.

    Args:
      library: name of the library's folder in site-packages.
      below: level from which records are shown nevertheless.
    """

    def keep(record):
        ours = library not in pathlib.PurePath(record.pathname).parts
        return ours or record.levelno >= below

    logging.getLogger("absl").addFilter(keep)


def plain(handler):
    """Formats a handler's lines as time and message, and hides libraries' records below warnings.

    Args:
      handler: `logging.Handler`.
    """
    handler.setFormatter(logging.Formatter(_FORMAT, "%H:%M:%S"))
    for library in ("jax", "matplotlib"):
        logging.getLogger(library).setLevel(logging.WARNING)
