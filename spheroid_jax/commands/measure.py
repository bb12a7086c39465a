"""The command `spheroid measure`: sizes, shapes and verdicts of the bodies in image files."""

import sys

from spheroid_jax.commands import failures, parsers
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
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="image file, folder, or quoted glob"
    )
    parser.add_argument(
        "--output", default="results", metavar="FOLDER", help="folder to write (%(default)s)"
    )
    parser.add_argument(
        "--model",
        default="spheroid-small",
        help="name of a packaged model, or folder of a trained fold or run (%(default)s)",
    )
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
    parser.add_argument("--channel", type=parsers.number_or_name, help="name, or number from 0")
    parser.add_argument("--scene", type=parsers.number_or_name, help="name, or number from 0")
    parser.add_argument(
        "--plane",
        type=_plane,
        default="sharpest",
        help="of several depths: sharpest, min, max, mean, or a number from 0 (%(default)s)",
    )
    parser.add_argument(
        "--pattern",
        metavar="REGEX",
        help="how names say where and when: a regular expression with groups well (or row and "
        "column), day, hour, field",
    )
    parser.add_argument(
        "--include", action="append", default=[], metavar="GLOB", help="only files that match"
    )
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="no files that match"
    )
    parser.add_argument("--xlsx", action="store_true", help="write an Excel file, too")
    parser.add_argument("--parquet", action="store_true", help="write Parquet files, too")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="threads (one per core)")
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would be read, and write nothing"
    )
    return parser


def _pixel_size(word):
    value = float(word)
    if not 0 < value < 1e4:
        raise ValueError(word)
    return value


def _plane(word):
    return word if word in ("sharpest", "min", "max", "mean") else int(word)


def _options(given):
    from spheroid_jax.lab import plan, run

    return run.MeasureOptions(
        model=given.model,
        choice=plan.Choice(
            channel=given.channel,
            scene=given.scene,
            plane=given.plane,
            pixel_size_um=given.pixel_size,
        ),
        several=given.objects == "all",
        pattern=given.pattern,
        include=tuple(given.include),
        exclude=tuple(given.exclude),
        formats=(*("xlsx",) * given.xlsx, *("parquet",) * given.parquet),
        jobs=given.jobs,
    )


def _measure(given):
    """Measures the images; returns the exit status."""
    with interrupts.remembered() as check_interrupt:
        return _measured(given, check_interrupt)


def _measured(given, check_interrupt):
    from spheroid_jax.lab import run
    from spheroid_jax.runtime import cache, compilation

    options = _options(given)
    if given.dry_run:
        return _list(run.plan_run(given.inputs, given.output, options))
    compilation.keep_programs(cache.folder())
    bar = _Bar()

    def on_progress(progress):
        bar.show(progress)
        check_interrupt()

    try:
        summary = run.measure_files(given.inputs, given.output, options, on_progress=on_progress)
    except KeyboardInterrupt:
        bar.close()
        if not bar.total:
            raise KeyboardInterrupt("interrupted before the first picture") from None
        raise KeyboardInterrupt(
            f"interrupted; {bar.done} of {bar.total} pictures are in {given.output}, the same "
            "command goes on from there"
        ) from None
    finally:
        bar.close()
    _print(summary, given.output)
    return failures.SOME_FAILED if summary.failed else 0


class _Bar:
    """A progress bar on a terminal; problems have lines of their own."""

    def __init__(self):
        self.done = self.total = 0
        self._bar = None

    def close(self):
        """Wipes the bar."""
        if self._bar is not None:
            self._bar.close()

    def show(self, progress):
        """Shows where the run stands."""
        import tqdm

        if self._bar is None:
            self._bar = tqdm.tqdm(
                total=progress.total,
                bar_format=parsers.BAR,
                unit=" images",
                dynamic_ncols=True,
                leave=False,
                disable=None,  # Where stderr is not a terminal.
            )
        self._bar.update(progress.done - self.done)
        self.done, self.total = progress.done, progress.total
        if progress.problem:
            with self._bar.external_write_mode(file=sys.stderr):
                failures.complain(NAME, progress.problem)


def _print(summary, output):
    counts = ", ".join(f"{count} {name}" for name, count in sorted(summary.verdicts.items()))
    total = sum(summary.verdicts.values())
    print(f"{total} pictures: {counts}. Bodies measured: {summary.bodies}.")
    if summary.earlier:
        print(f"Done by an earlier run: {summary.earlier} pictures.")
    for path in summary.kept:
        print(f"{output}/{path} was edited since it was written, and is kept.")
    print(f"Look at {output}/report.html first; the numbers are in {output}/measurements.csv.")


def _list(planned):
    """Prints what would be read; returns the exit status."""
    from spheroid_jax.report import tables

    headings = ["file", "scene", "time", "channel", "depths", "um per px", "from", "well", "day"]
    rows = [
        [
            str(item.found.path),
            item.scene_name or str(item.scene),
            str(item.t),
            item.channel_name or str(item.channel),
            str(item.depths),
            f"{item.pixel_size_um:g}" if item.pixel_size_um else "",
            item.pixel_size_source,
            item.place.well,
            "" if item.place.day is None else f"{item.place.day:g}",
        ]
        for item in planned.items
    ]
    if rows:
        print(tables.terminal(tables.Table("", headings, rows)))
    for path, reason in planned.left_out:
        print(f"left out: {path} ({reason})")
    for failed in planned.failed:
        failures.complain(NAME, f"{failed.found.path}: {failed.reason}")
    return failures.SOME_FAILED if planned.failed else 0
