"""The command `spheroid demo`: draws a plate with known answers, measures it, and analyses it."""

import math
import pathlib

from spheroid_jax.commands import failures, parsers, progress
from spheroid_jax.errors import UserError

NAME = "spheroid demo"
# On one plate in twenty, chance makes the inactive drug look active; not on this one.
_SEED = 4


class DemoError(UserError):
    """A folder that is not empty."""


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _plate, given)


def _parser():
    parser = parsers.parser(
        NAME,
        "Draws a small plate with known answers (one active drug, one inactive, six days), "
        "measures it and analyses it, as you would do with yours. Takes about a minute.",
        {
            "spheroid demo plate": "writes demo/images, demo/results and demo/analysis",
            "spheroid demo plate --output try --seed 1": "another plate",
        },
    )
    parser.add_argument("what", choices=("plate",), help="what to show")
    parser.add_argument(
        "--output", default="demo", metavar="FOLDER", help="new or empty folder (%(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=_SEED, metavar="N", help="number of the plate (%(default)d)"
    )
    return parser


def _plate(given):
    from spheroid_jax.lab import plan, run
    from spheroid_jax.plates import analysis
    from spheroid_jax.runtime import cache, compilation, extras
    from spheroid_jax.synthetic import plate

    output = pathlib.Path(given.output)
    if output.is_dir() and any(output.iterdir()):
        raise DemoError(f"{output} holds files; name a new folder with --output")
    print(f"Drawing {len(plate.wells()) * len(plate.DAYS)} images ...", flush=True)
    wells = plate.write(output / "images", seed=given.seed)
    wells = wells.rename(output / "map.csv")
    compilation.keep_programs(cache.folder())
    choice = plan.Choice(pixel_size_um=plate.PIXEL_SIZE_UM)
    with progress.Bar(NAME) as bar:
        run.measure_files(
            [output / "images"],
            output / "results",
            run.MeasureOptions(choice=choice),
            on_progress=lambda now: bar.show(now.done, now.total, now.problem, earlier=now.earlier),
        )
    found = analysis.plate(output / "results", wells)
    with extras.needed("figures", "plate"):
        found.write(output / "analysis")
    for answer in found.answers:
        print(answer)
    print(
        f"Drawn with: EC50 of {plate.ACTIVE} {plate.EC50_UM:g} uM, none of {plate.INACTIVE}; "
        f"controls double in {math.log(2) / plate.RATE_PER_DAY:.2f} days."
    )
    print(
        "The same with your images:\n"
        f"  spheroid measure {output / 'images'} --pixel-size {plate.PIXEL_SIZE_UM:g} "
        f"--output {output / 'results'}\n"
        f"  spheroid plate {output / 'results'} --map {wells} --output {output / 'analysis'}"
    )
    print(f"Open {output / 'analysis' / 'analysis.html'} and {output / 'results' / 'report.html'}.")
    return 0
