"""The command `spheroid compare`: compares finished training runs on the test images."""

import pathlib

from spheroid_jax.commands import failures, parsers
from spheroid_jax.runtime import extras

NAME = "spheroid compare"


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _compare, given)


def _compare(given):
    """Compares the runs, prints the main table, and writes the report."""
    from spheroid_jax import workdir

    with extras.needed("the report", "report"):
        from spheroid_jax.evaluation.compare import baselines, outputs, runs

    folder = pathlib.Path(given.output or workdir.Workdir(given.workdirs[0]).report)
    opened = runs.open_runs(given.workdirs)
    test, rest = runs.read_images(opened, given.data)
    entries = runs.entries(opened, test)
    thresholds, chosen = baselines.entries(test, rest)
    print(outputs.write(folder, entries + thresholds, test, opened, chosen=chosen))
    print(f"\nThe report: {(folder / 'index.html').resolve()}")


def _parser():
    parser = parsers.parser(
        NAME,
        "Compares finished training runs on the test images, and writes a report that opens in "
        "any browser.",
        {
            "spheroid compare runs/adver runs/base": "compares base with adver; the report is "
            "runs/adver/report/index.html",
            "spheroid compare runs/adver runs/unet --output report --data DIR": "reads the images "
            "from DIR, because they were moved after training",
        },
    )
    parser.add_argument(
        "workdirs",
        nargs="+",
        metavar="WORKDIR",
        help="work directory with five finished folds; all are compared with the first one",
    )
    parser.add_argument(
        "--output", metavar="FOLDER", help="folder of the report (default: WORKDIR/report)"
    )
    parser.add_argument(
        "--data", metavar="DIR", help="data root (default: the data root of the training)"
    )
    return parser
