"""The command `spheroid`: runs the subcommand that the first argument names."""

import argparse
import difflib
import importlib
import sys

import spheroid_jax

COMMANDS = {
    "measure": "measure sizes and shapes, with verdicts, tables and a report",
    "plate": "growth, dose response and comparisons, from measured wells",
    "segment": "write a mask for each image",
    "score": "score masks made by any tool against true masks",
    "compare": "compare finished training runs on the test images",
    "truth": "make ground truth for images without masks, semi-automatically",
    "package": "add a trained model to the package under a name",
    "demo": "draw a plate with known answers, measure it and analyse it",
    "doctor": "check the installation, and segment a drawn image",
}

# As `failures.INTERRUPTED`, whose module need not be imported to show the help.
_INTERRUPTED = 130


def main(arguments=None):
    """Runs a subcommand; returns the exit status.

    Args:
      arguments: the words after `spheroid`; None for the words of the command line.
    """
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:
        # Before a subcommand has begun, which has a line of its own.
        print("spheroid: interrupted", file=sys.stderr)
        return _INTERRUPTED


def _run(words):
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        return 2
    given = parser.parse_args(words[:1])
    if given.command not in COMMANDS:
        parser.error(f"no command {given.command!r}{_suggestion(given.command)}")
    command = importlib.import_module(f"spheroid_jax.commands.{given.command}")
    return command.main(words[1:])


def _parser():
    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:{width}}  {what}" for name, what in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="spheroid",
        usage="spheroid COMMAND ...",
        description=f"Spheroid segmentation in bright-field images.\n\ncommands:\n{lines}",
        epilog="`spheroid COMMAND --help` shows the options of a command, with examples.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument(
        "--version", action="version", version=f"spheroid_jax {spheroid_jax.__version__}"
    )
    return parser


def _suggestion(word):
    """Returns the end of the message about an unknown command."""
    if similar := difflib.get_close_matches(word, COMMANDS, n=1):
        return f"; did you mean {similar[0]}?"
    return f"; the commands are {', '.join(COMMANDS)}"
