"""The command `spheroid measure`: sizes, shapes and verdicts of the bodies in image files."""

import argparse

from spheroid_jax.commands import failures, parsers, progress, said
from spheroid_jax.runtime import interrupts

NAME = "spheroid measure"


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    return failures.exit_status(NAME, _measure, given)


def _parser():
    parser = parsers.parser(
        NAME,
        "Measures the bodies in images: tables with units, error bars and a verdict for each "
        "image, outlines for ImageJ and QuPath, overlays, and a report to look at. A run that was "
        "interrupted goes on where it stopped.",
        {
            "spheroid measure plate": "writes results/measurements.csv, results/report.html, ...",
            'spheroid measure "day*/*.tif" --pixel-size 0.65 --objects all': "all bodies of each "
            "image, in micrometres",
        },
    )
    parsers.add_images(parser, output="results")
    parser.add_argument(
        "--pixel-size",
        type=_pixel_size,
        metavar="UM",
        help="side of a pixel in micrometres, instead of what the files say",
    )
    parser.add_argument(
        "--objects",
        choices=("largest", "all"),
        default="largest",
        help="which bodies of an image to measure (%(default)s)",
    )
    parser.add_argument(
        "--pattern",
        metavar="REGEX",
        help="how names say where and when: a regular expression with groups well (or row and "
        "column), day, hour, field",
    )
    parser.add_argument("--xlsx", action="store_true", help="write an Excel file, too")
    parser.add_argument("--parquet", action="store_true", help="write Parquet files, too")
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would be read, and write nothing"
    )
    parsers.add_planes(parser)
    return parser


def _pixel_size(word):
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e4:
        raise argparse.ArgumentTypeError(
            f"{word!r} is not a number of micrometres, such as 0.65, with a decimal point"
        )
    return value


def _options(given):
    from spheroid_jax.lab import run

    return run.MeasureOptions(
        model=given.model,
        choice=parsers.choice(given, pixel_size_um=given.pixel_size),
        several=given.objects == "all",
        pattern=given.pattern,
        include=tuple(given.include),
        exclude=tuple(given.exclude),
        formats=(*("xlsx",) * given.xlsx, *("parquet",) * given.parquet),
        jobs=given.jobs,
    )


def _measure(given):
    """Measures the images; returns the exit status."""
    with interrupts.remembered() as check_interrupt, progress.Bar(NAME) as bar:
        try:
            return _measured(given, bar, check_interrupt)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_interrupted(bar, given.output)) from None


def _measured(given, bar, check_interrupt):
    with interrupts.ending(f"{NAME}: {_interrupted(bar, given.output)}"):
        from spheroid_jax.lab import run
        from spheroid_jax.runtime import cache, compilation

    options = _options(given)
    if given.dry_run:
        return _list(run.plan_run(given.inputs, given.output, options))
    compilation.keep_programs(cache.folder())

    def on_progress(now):
        bar.show(now.done, now.total, now.problem, earlier=now.earlier)
        check_interrupt()

    summary = run.measure_files(given.inputs, given.output, options, on_progress=on_progress)
    bar.close()
    for line in _lines(summary, given.output):
        print(line)
    return failures.SOME_FAILED if summary.failed else 0


def _interrupted(bar, output):
    """Returns the line after Ctrl-C: what there is, and how to go on."""
    if not bar.done:
        return "interrupted before the first image; nothing is lost, the same command begins again"
    return (
        f"interrupted; {bar.done} of {bar.total} images are in {output}, the same command goes on "
        "from there"
    )


def _lines(summary, output):
    """Yields what a user must know about a run, the outcome first."""
    images = sum(summary.verdicts.values())
    counts = ", ".join(f"{count} {name}" for name, count in summary.verdicts.items())
    yield (
        f"{said.count_of(images, 'image')}: {counts}. "
        f"{said.count_of(summary.bodies, 'body')} measured."
    )
    if summary.earlier:
        yield f"{summary.earlier} of the images were done by an earlier run."
    if summary.without_size:
        yield (
            f"The pixel size of {said.count_of(summary.without_size, 'image')} is not known, so "
            "these have no micrometres; give it with --pixel-size UM."
        )
    if line := said.left_out(summary.left_out):
        yield line
    for path, why in summary.kept.items():
        yield f"{output}/{path} {why}."
    yield f"Open {output}/report.html to see what needs a look. Numbers: {output}/measurements.csv."


def _list(planned):
    """Prints what would be read; returns the exit status."""
    from spheroid_jax.report import tables

    rows = [_row(item) for item in planned.items]
    # A column in which every cell is empty says nothing.
    kept = [n for n, _ in enumerate(_HEADINGS) if n == 0 or any(row[n] for row in rows)]
    if rows:
        cells = [[row[n] for n in kept] for row in rows]
        print(tables.terminal(tables.Table("", [_HEADINGS[n] for n in kept], cells)))
    sizes = sum(item.pixel_size_um is None for item in planned.items)
    wells = sum(bool(item.place.well) for item in planned.items)
    print(
        f"{said.count_of(len(rows), 'image')} would be measured: {wells} with a well in the name, "
        f"{sizes} without a pixel size. Nothing was written."
    )
    for path, reason in planned.left_out:
        print(f"left out: {path} ({reason})")
    for failed in planned.failed:
        failures.complain(NAME, f"{failed.found.path}: {failed.reason}")
    return failures.SOME_FAILED if planned.failed else 0


_HEADINGS = (
    *("file", "scene", "time", "channel", "depths", "um per px", "from"),
    *("well", "day", "hour", "field", "notes"),
)


def _row(item):
    """Returns the cells of one image, "" where there is nothing to say."""
    place = item.place
    return [
        str(item.found.path),
        item.scene_name or (str(item.scene) if item.several else ""),
        str(item.t) if item.several else "",
        item.channel_name or (str(item.channel) if "C" in item.axes else ""),
        str(item.depths) if item.depths > 1 else "",
        f"{item.pixel_size_um:.4g}" if item.pixel_size_um else "",
        item.pixel_size_source if item.pixel_size_um else "",
        place.well,
        *("" if value is None else f"{value:.4g}" for value in (place.day, place.hour)),
        place.field,
        "; ".join(item.notes),
    ]
