"""Argument parsers of the commands: options that several commands share, and help with examples."""

import argparse
import textwrap

from spheroid_jax.inference import pretrained


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


def add_images(parser, *, output):
    """Adds what images are read, by which model, and where results go.

    Args:
      parser: `argparse.ArgumentParser`.
      output: the folder that is written if the user names none.
    """
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="image file, folder, or quoted glob"
    )
    parser.add_argument(
        "--output", default=output, metavar="FOLDER", help="folder to write (%(default)s)"
    )
    parser.add_argument(
        "--model",
        default=pretrained.DEFAULT,
        help="name of a packaged model, or folder of a trained fold or run (%(default)s)",
    )
    parser.add_argument(
        "--include", action="append", default=[], metavar="GLOB", help="only files that match"
    )
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="no files that match"
    )
    parser.add_argument(
        "--jobs", type=natural, default=0, metavar="N", help="threads (one per core)"
    )


def add_planes(parser):
    """Adds the options that choose pictures in files of several; `choice` reads them."""
    group = parser.add_argument_group("files that hold several pictures")
    group.add_argument(
        "--channel",
        type=number_or_name,
        metavar="NAME",
        help="name or number of the channel, from 0 (the one whose name says bright field)",
    )
    group.add_argument(
        "--scene", type=number_or_name, metavar="NAME", help="name or number, from 0 (all)"
    )
    group.add_argument("--time", type=natural, metavar="N", help="number, from 0 (all)")
    group.add_argument(
        "--plane",
        type=plane,
        default="sharpest",
        help="of several depths: sharpest, min, max, mean, or a number from 0 (%(default)s)",
    )
    parser.add_argument(
        "--max-megapixels",
        type=positive,
        default=400.0,
        metavar="N",
        help="refuse larger pictures, whose headers may be false (%(default)g)",
    )


def choice(given, **more):
    """Returns the `lab.plan.Choice` that the options of `add_planes` make.

    Args:
      given: the parsed arguments.
      **more: further fields of the choice.
    """
    from spheroid_jax.lab import plan

    return plan.Choice(
        channel=given.channel,
        scene=given.scene,
        time=given.time,
        plane=given.plane,
        max_pixels=round(1e6 * given.max_megapixels),
        **more,
    )


def number_or_name(word):
    """Returns a number where the word is one, else the word."""
    return int(word) if word.isascii() and word.isdigit() else word


def natural(word):
    """Returns a whole number from 0; argparse names the option if the word is none."""
    if not (word.isascii() and word.isdigit()):
        raise argparse.ArgumentTypeError(f"{word!r} is not a whole number from 0")
    return int(word)


def positive(word):
    """Returns a number above 0; argparse names the option if the word is none."""
    value = float(word)
    if not 0 < value < float("inf"):
        raise ValueError(word)
    return value


def plane(word):
    """Returns a number of a depth, or one of the names of `lab.plan.PROJECTIONS`."""
    names = ("sharpest", "min", "max", "mean")
    if word in names or (word.isascii() and word.isdigit()):
        return word if word in names else int(word)
    raise argparse.ArgumentTypeError(f"{word!r} is not {', '.join(names)} or a number from 0")
