"""The command `spheroid plate`: from measured wells and a plate map to answers."""

import argparse
import pathlib

from spheroid_jax.commands import failures, parsers, said

NAME = "spheroid plate"
_TEMPLATE = "template"


def main(arguments=None):
    """Runs the command; returns the exit status."""
    words = list(arguments or [])
    if words[:1] == [_TEMPLATE]:
        given = _template_parser().parse_args(words[1:])
        return failures.exit_status(f"{NAME} {_TEMPLATE}", _write_template, given)
    given = _parser().parse_args(words)
    return failures.exit_status(NAME, _analyse, given)


def _parser():
    from spheroid_jax.plates.observations import BODIES, MEASURES

    parser = parsers.parser(
        NAME,
        "Answers what a drug does: growth, dose response, comparisons, regrowth and quality of "
        "plates, from the tables of `spheroid measure` and a plate map. Opens no image. `spheroid "
        "plate template` writes a map to fill in.",
        {
            "spheroid plate results --map map.csv": "writes analysis/analysis.html, "
            "conditions.csv, fits.csv, ...",
            "spheroid plate run1 run2 --map map.xlsx --t0 24 --output answers": "treatment was at "
            "24 h; two runs, for example two experiments",
        },
    )
    parser.add_argument(
        "results", nargs="+", metavar="RESULTS", help="folder that `spheroid measure` wrote"
    )
    parser.add_argument(
        "--map", required=True, metavar="FILE", help="plate map: a CSV, Excel or TOML file"
    )
    parser.add_argument(
        "--output",
        default="analysis",
        metavar="FOLDER",
        help="folder for the analysis (%(default)s)",
    )
    parser.add_argument(
        "--wells", type=int, metavar="N", help="wells of a plate, if more than the map needs"
    )
    parser.add_argument(
        "--measure",
        choices=tuple(MEASURES),
        default="volume_sphere",
        metavar="NAME",
        help=f"size: {', '.join(MEASURES)} (%(default)s)",
    )
    parser.add_argument(
        "--bodies",
        choices=BODIES,
        default="largest",
        help="which bodies of an image count (%(default)s)",
    )
    parser.add_argument(
        "--only-ok",
        action="store_true",
        help="leave out images with any verdict other than ok; else all measured ones count",
    )
    _add_times(parser)
    _add_choices(parser)
    return parser


def _add_times(parser):
    parser.add_argument(
        "--time",
        metavar="FILE",
        help="CSV file with the columns image, and hour or day, and perhaps well; where names do "
        "not say it",
    )
    parser.add_argument(
        "--interval", type=float, metavar="H", help="hours between the images of one file"
    )
    parser.add_argument(
        "--t0", type=float, metavar="H", help="hour of treatment (the first with images)"
    )
    parser.add_argument(
        "--at", type=float, metavar="H", help="hour at which to compare (the last with images)"
    )
    parser.add_argument(
        "--window",
        type=float,
        nargs=2,
        metavar="H",
        help="first and last hour of the regression for growth rates (from --t0 to the end)",
    )


def _add_choices(parser):
    parser.add_argument(
        "--multiple",
        type=float,
        default=5.0,
        metavar="K",
        help="growth delay is to K times the size at treatment (%(default)g)",
    )
    parser.add_argument(
        "--regrowth-level",
        type=float,
        default=1.0,
        metavar="K",
        help="a spheroid has regrown above K times its size at treatment (%(default)g)",
    )
    parser.add_argument(
        "--regrowth-images",
        type=int,
        default=2,
        metavar="N",
        help="and after rising in N successive images (%(default)d)",
    )
    parser.add_argument(
        "--robust", action="store_true", help="let outlying wells count less in dose response"
    )
    parser.add_argument(
        "--test",
        choices=("welch", "mann-whitney"),
        default="welch",
        help="test against the negative control (%(default)s)",
    )
    parser.add_argument("--pairs", action="store_true", help="compare all pairs of conditions, too")
    parser.add_argument("--xlsx", action="store_true", help="write an Excel file, too")


def _template_parser():
    parser = argparse.ArgumentParser(
        prog=f"{NAME} {_TEMPLATE}",
        description="Writes a plate map to fill in, with an explanation of its columns.",
    )
    parser.add_argument(
        "--wells", type=int, default=96, metavar="N", help="wells of the plate (%(default)d)"
    )
    parser.add_argument(
        "--output", default="map.csv", metavar="FILE", help="file to write (%(default)s)"
    )
    return parser


def _write_template(given):
    from spheroid_jax.plates import template

    template.write(given.output, wells=given.wells)
    print(f"Fill in {given.output}, then: spheroid plate results --map {given.output}")
    return 0


def _options(given):
    from spheroid_jax.plates.options import PlateOptions
    from spheroid_jax.plates.regrowth import Rule

    return PlateOptions(
        measure=given.measure,
        bodies=given.bodies,
        times=given.time,
        interval_h=given.interval,
        only_ok=given.only_ok,
        wells=given.wells,
        t0_h=given.t0,
        at_h=given.at,
        window_h=None if given.window is None else tuple(given.window),
        multiple=given.multiple,
        rule=Rule(given.regrowth_level, given.regrowth_images),
        robust=given.robust,
        test=given.test,
        pairs=given.pairs,
    )


def _analyse(given):
    from spheroid_jax.plates import analysis
    from spheroid_jax.runtime import extras

    found = analysis.plate(given.results, given.map, _options(given))
    output = pathlib.Path(given.output)
    with extras.needed("figures", "plate"):
        kept = found.write(output, xlsx=given.xlsx)
    for answer in found.answers:
        print(answer)
    if found.warnings:
        print(f"{said.count_of(len(found.warnings), 'thing')} to keep in mind:")
        for warning in found.warnings:
            print(f"- {warning}")
    for name, why in kept.items():
        print(f"{output / name} {why}.")
    print(f"Open {output / 'analysis.html'}. Numbers: {output / 'conditions.csv'}, fits.csv.")
    return 0
