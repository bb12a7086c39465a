"""Argument parsers whose help ends with examples."""

import argparse
import textwrap


def parser(command, description, examples):
    """Makes the argument parser of a command.

    Args:
      command: the command as it is typed: "spheroid segment".
      description: what the command does.
      examples: a dict from a command line to what it does.

    Returns:
      `argparse.ArgumentParser`.
    """
    lines = "\n".join(f"  {line}\n      {what}" for line, what in examples.items())
    return argparse.ArgumentParser(
        prog=command,
        description="\n".join(textwrap.wrap(description, 80)),
        epilog=f"examples:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
