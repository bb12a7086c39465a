"""Dispatch of `spheroid NAME ...` to the subcommand's module."""

import importlib
import sys

COMMANDS = ("segment", "score", "compare", "truth", "package")


def main(arguments=None):
    """Runs a subcommand; returns the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words or words[0] not in COMMANDS:
        print(f"usage: spheroid {{{','.join(COMMANDS)}}} ...", file=sys.stderr)
        return 2
    command = importlib.import_module(f"spheroid_jax.commands.{words[0]}")
    return command.main(words[1:])
