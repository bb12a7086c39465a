"""The command `spheroid score`: scores masks made by any tool against true masks."""

import sys

from spheroid_jax.commands import failures, parsers
from spheroid_jax.runtime import extras

NAME = "spheroid score"


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _score, given)


def _score(given):
    """Scores all sources, prints the table, and writes files if --output is given."""
    from spheroid_jax.evaluation.score import results, scoring, sources, targets
    from spheroid_jax.report import tables
    from spheroid_jax.runtime import cache, compilation

    rules = _rules(given)
    outputs = _outputs() if given.output else None
    pairs = targets.find(given.root)
    compilation.keep_programs(cache.folder())
    opened = sources.open_sources(
        given.sources, pairs, rules, missing_are_empty=given.missing == "zero"
    )
    rows = []
    for source in opened:
        print(f"{source.name}: {len(pairs)} images", file=sys.stderr)
        rows += scoring.score(source, pairs, rules)
    table = results.table(rows, pairs, rules)
    if outputs is not None:
        outputs.write(given.output, rows, pairs, table, rules)
    print(tables.terminal(table))


def _rules(given):
    """Returns the rules that the options choose."""
    from spheroid_jax.evaluation.score import bodies, pixels, targets

    if not given.instances:
        return pixels.rules(labels=given.labels, all_objects=given.all_objects)
    if given.labels or given.all_objects:
        raise targets.ScoreError(
            "--instances reads label images and masks of two values, and scores all bodies; leave "
            "out --labels and --all-objects"
        )
    return bodies.rules()


def _outputs():
    """Imports and returns the module that draws pictures, which needs matplotlib."""
    with extras.needed("--output", "report"):
        from spheroid_jax.evaluation.score import outputs
    return outputs


def _parser():
    parser = parsers.parser(
        NAME,
        "Scores masks made by any tool against the true masks of a data root, and prints one row "
        "per dataset and tool.",
        {
            "spheroid score DIR cellpose=masks/cellpose": "scores a folder of masks",
            "spheroid score DIR runs/adver conventional --output scores": "scores a trained model "
            "and conventional thresholds",
            "spheroid score DIR cellpose=masks/cellpose --instances": "counts the bodies that are "
            "found",
        },
    )
    parser.add_argument(
        "root", metavar="DIR", help="folder with DATASET/images and DATASET/masks, at any depth"
    )
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="[NAME=]SOURCE",
        help="folder of masks (DATASET/STEM.png or STEM.png), folder of a trained model, or the "
        "word conventional for conventional thresholds",
    )
    parser.add_argument("--output", metavar="FOLDER", help="folder for scores, tables and pictures")
    parser.add_argument(
        "--labels",
        action="store_true",
        help="the masks are label images (0 for background, one number per object), like those of "
        "Cellpose and StarDist",
    )
    parser.add_argument(
        "--all-objects",
        action="store_true",
        help="score whole masks instead of the largest body of each mask",
    )
    parser.add_argument(
        "--instances",
        action="store_true",
        help="score bodies instead of pixels: F1 of those found with an IoU above 0.5 and 0.8; "
        "masks are label images, or the connected parts of a mask of two values are its bodies",
    )
    parser.add_argument(
        "--missing",
        choices=("refuse", "zero"),
        default="refuse",
        help="what to do about images without a mask; zero: score them as empty masks "
        "(%(default)s)",
    )
    return parser
