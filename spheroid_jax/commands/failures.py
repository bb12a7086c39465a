"""Errors and exit statuses of commands: one line for a user, a traceback for a bug of ours.

`exit_status` runs every subcommand of `spheroid`, and the training script `launch.py`. Nothing else
turns an error into a line on stderr and an exit status.
"""

import os
import sys
import traceback

import spheroid_jax
from spheroid_jax.errors import UserError

# Exit statuses. Some images or folds failed; nothing was done; a bug of spheroid_jax (EX_SOFTWARE).
SOME_FAILED = 1
REFUSED = 2
BUG = 70
# As a shell reports a process that a signal has ended: 128 + SIGINT, 128 + SIGPIPE.
INTERRUPTED = 130
PIPE_CLOSED = 141
# What a user can mend.
USERS = (UserError, OSError)


def exit_status(name, function, *arguments):
    """Calls `function(*arguments)` and returns the exit status of the command.

    Args:
      name: the command as the user typed it, which begins each line: "spheroid segment".
      function: does the work; returns an exit status, or None for 0.
      *arguments: of the function.

    Returns:
      What the function returned; 2 for a `UserError` or `OSError`, 130 for Ctrl-C, 141 where the
      reader of stdout is gone (`spheroid score ... | head`), 70 for any other exception.
    """
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


def complain(name, problem):
    """Writes a problem to stderr, each of its lines after the command's name.

    Args:
      name: the command as the user typed it.
      problem: an exception, or a text.
    """
    for line in message(problem).splitlines():
        print(f"{name}: {line}", file=sys.stderr)


def message(problem):
    """Returns the text of a problem; the file comes first where the system has named one."""
    if isinstance(problem, OSError) and problem.filename is not None:
        return f"{problem.filename2 or problem.filename}: {problem.strerror}"
    return str(problem)
