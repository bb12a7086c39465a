"""The command; see the package's docstring."""

import argparse
import sys

from spheroid_jax.evaluation.score import results, scoring, sources, targets
from spheroid_jax.report import tables
from spheroid_jax.runtime import cache, compilation


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        print(_score(given))
    except (ImportError, OSError, ValueError) as error:
        print(f"spheroid score: {error}", file=sys.stderr)
        return 2
    return 0


def _score(given):
    outputs = _outputs() if given.output else None
    pairs = targets.find(given.root)
    compilation.keep_programs(cache.folder())
    rules = scoring.Rules(given.labels, given.all_objects)
    opened = sources.open_sources(
        given.sources, pairs, read=rules.read, missing_are_empty=given.missing == "zero"
    )
    rows = []
    for source in opened:
        print(f"{source.name}: {len(pairs)} images", file=sys.stderr)
        rows += scoring.score(source, pairs, rules)
    table = results.table(rows, pairs, all_objects=given.all_objects)
    if outputs is not None:
        outputs.write(given.output, rows, pairs, table, rules)
    return tables.terminal(table)


def _outputs():
    """The module that draws; nothing else here needs matplotlib."""
    try:
        from spheroid_jax.evaluation.score import outputs
    except ImportError as error:
        raise ImportError(f"--output draws pictures ({error}); pip install matplotlib") from error
    return outputs


def _parser():
    parser = argparse.ArgumentParser(
        prog="spheroid score", description="Scores masks made by any tool."
    )
    parser.add_argument("root", help="folder with DATASET/images and DATASET/masks")
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="[NAME=]SOURCE",
        help="folder of masks (DATASET/STEM.png or STEM.png), trained model, "
        f"or the word {sources.CONVENTIONAL}",
    )
    parser.add_argument("--output", help="folder for scores, tables and the worst images")
    parser.add_argument(
        "--labels",
        action="store_true",
        help="masks are label images (0, and a number an object), as Cellpose "
        "and StarDist write them",
    )
    parser.add_argument(
        "--all-objects", action="store_true", help="score masks as they are, not their largest body"
    )
    parser.add_argument(
        "--missing",
        choices=("refuse", "zero"),
        default="refuse",
        help="what becomes of images without a mask; zero: they score as empty (%(default)s)",
    )
    return parser
