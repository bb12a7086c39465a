"""Argument parsers of the commands, whose help ends with examples, and progress bars."""

import argparse
import textwrap

# How progress over images looks, for tqdm: count, bar, rate, time left.
BAR = "{n_fmt} of {total_fmt} images |{bar}| {rate_noinv_fmt}, {remaining} left"
# Options that choose one plane of a file; they have the names of the arguments of `images.read`.
_PLANE_OPTIONS = {
    "channel": "name or number of the channel; numbers begin with 0",
    "scene": "name or number of the scene; numbers begin with 0",
    "z": "number of the z plane; numbers begin with 0",
    "t": "number of the time point; numbers begin with 0",
}


def parser(command, description, examples):
    """Makes the argument parser of a command.

    Args:
      command: the command as the user types it, such as "spheroid segment".
      description: what the command does.
      examples: dict from a command line to a phrase that says what this command line does.

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
        kind = int if name in ("z", "t") else number_or_name
        group.add_argument(f"--{name}", type=kind, metavar=name.upper(), help=meaning)


def number_or_name(word):
    """Returns a number where the word is one, else the word."""
    return int(word) if word.isascii() and word.isdigit() else word
