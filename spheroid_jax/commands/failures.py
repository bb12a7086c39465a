"""Error messages and exit statuses of commands: one line for a user error, a traceback for a bug.

`exit_status` runs every subcommand of `spheroid`, and the training script `launch.py`.
"""

import io
import os
import sys
import traceback

import spheroid_jax
from spheroid_jax.errors import UserError

SOME_FAILED = 1  # Some images or folds failed.
REFUSED = 2  # Nothing was done, because of an error that the user can mend.
BUG = 70  # A bug of spheroid_jax; EX_SOFTWARE in sysexits.h.
# 128 plus the signal, as shells report a process that was ended by SIGINT or SIGPIPE.
INTERRUPTED = 130
PIPE_CLOSED = 141
# Errors that a user can mend.
USERS = (UserError, OSError)


def exit_status(name, function, *arguments):
    """Calls `function(*arguments)` and returns the exit status of the command.

    Args:
      name: the command as the user typed it, such as "spheroid segment"; each line on stderr
        begins with this name.
      function: function that does the work and returns an exit status, or None for 0.
      *arguments: positional arguments of the function.

    Returns:
      The exit status that the function returned; 2 for a `UserError` or `OSError`, 130 for Ctrl-C,
      141 if the reader of stdout has ended (`spheroid score ... | head`), 70 for any other
      exception.
    """
    _print_any_name()
    try:
        status = function(*arguments)
        sys.stdout.flush()
        return status or 0
    except BrokenPipeError:
        # Python flushes stdout once more when it exits, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except USERS as error:
        complain(name, error)
        return REFUSED
    except KeyboardInterrupt as stopped:
        complain(name, str(stopped) or "interrupted")
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        complain(
            name,
            f"this is a bug of spheroid_jax {spheroid_jax.__version__}; please report it, with all "
            'lines from "Traceback" on, to the issue tracker of the project',
        )
        return BUG


def _print_any_name():
    """Lets stdout escape what its encoding lacks: names of files can have any letters."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def complain(name, problem):
    """Writes a problem to stderr; each line begins with the command's name.

    Args:
      name: the command as the user typed it.
      problem: an exception, or a message.
    """
    for line in message(problem).splitlines():
        print(f"{name}: {line}", file=sys.stderr)


def message(problem):
    """Returns the message of a problem; an `OSError`'s message begins with the file's name."""
    if isinstance(problem, OSError) and problem.filename is not None:
        return f"{problem.filename2 or problem.filename}: {problem.strerror}"
    return str(problem)
