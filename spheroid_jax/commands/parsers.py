"""Argument parsers whose help ends with examples."""

import argparse
import textwrap

# Options that choose a plane of files with several; the names are those of `images.read`.
_PLANE_OPTIONS = {
    "channel": "channel of files with several: its name, or its number from 0",
    "scene": "scene of files with several: its name, or its number from 0",
    "z": "depth of files with several: its number from 0",
    "t": "time of files with several: its number from 0",
}


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


def add_plane_options(parser):
    """Adds the options `--channel`, `--scene`, `--z` and `--t` to an argument parser."""
    group = parser.add_argument_group("files that hold several planes")
    for name, meaning in _PLANE_OPTIONS.items():
        kind = int if name in ("z", "t") else _number_or_name
        group.add_argument(f"--{name}", type=kind, metavar=name.upper(), help=meaning)


def _number_or_name(word):
    return int(word) if word.isascii() and word.isdigit() else word
