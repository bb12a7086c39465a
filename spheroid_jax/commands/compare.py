"""The command; see the package's docstring."""

import argparse
import pathlib
import sys

from spheroid_jax.evaluation.compare import baselines, outputs
from spheroid_jax.evaluation.compare import runs as work_directories


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    folder = pathlib.Path(given.output or f"{given.workdirs[0]}/report")
    try:
        print(_compare(given.workdirs, folder, given.data))
    except (OSError, ValueError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(f"\nThe report: {(folder / 'index.html').resolve()}")
    return 0


def _compare(workdirs, folder, root):
    runs = work_directories.open_runs(workdirs)
    test, rest = work_directories.read_images(runs, root)
    entries = work_directories.entries(runs, test)
    thresholds, chosen = baselines.entries(test, rest)
    return outputs.write(folder, entries + thresholds, test, runs, chosen=chosen)


def _parser():
    parser = argparse.ArgumentParser(
        prog="spheroid compare", description="Compares finished runs on the test partition."
    )
    parser.add_argument(
        "workdirs",
        nargs="+",
        help="work directories with five finished folds each; the first is "
        "what the others are tested against",
    )
    parser.add_argument("--output", help="folder of the report (default: WORKDIR/report)")
    parser.add_argument("--data", help="the data root, where it is no longer the config's")
    return parser
