"""Agreement of areas and growth rates with those that other authors measured on the same images.

    python -m benchmarks.growth_agreement --data DIR [--model MODEL] [--output docs/evidence]

measures the images of DIR/dataset2 (names such as a_d7.png: a well and a day) and compares areas
and specific growth rates with DIR/dataset2/authors_measurements.csv (columns day, pos, and area in
um2). It prints the tables; with --output it also writes them between the markers of
plate-growth.md in that folder, and draws plate-growth.svg beside it.
"""

import argparse
import csv
import json
import math
import pathlib
import re
import sys
import tempfile
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks import agreement_figure, agreement_tables
from benchmarks.tables import MARKERS
from spheroid_jax.commands import failures
from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import statistics
from spheroid_jax.inference import pretrained
from spheroid_jax.lab import plan, run
from spheroid_jax.plates import growth, observations
from spheroid_jax.runtime import cache, compilation, files

NAME = "python -m benchmarks.growth_agreement"
# The authors' program, spherofilm.py, says "1 p = 0.8 um" and multiplies areas in pixels by 0.64.
PIXEL_SIZE_UM = 0.8
AREA_POWER = 2
LEAST_DAYS = 3
WHO = ("ours", "theirs")
PAGE, FIGURE = "plate-growth.md", "plate-growth.svg"
_STEM = re.compile(r"([a-z]\d*)_d(\d+)")


class AgreementError(UserError, ValueError):
    """Images and measurements of which too few belong together."""


class Compared(NamedTuple):
    """One image, with its areas in um2; NaN where there is none.

    Attributes:
      well: name of the well.
      day: day of the image.
      ours: area of our largest body.
      theirs: area that the authors measured.
      mask: area of the image's mask.
      verdict: our verdict on the image.
    """

    well: str
    day: int
    ours: float
    theirs: float
    mask: float
    verdict: str


class WellRates(NamedTuple):
    """Specific growth rates of the volume of one well, each a `growth.Rate`.

    Attributes:
      well: name of the well.
      days: days with both areas.
      ours: rate from our areas on these days.
      theirs: rate from the authors' areas on the same days.
      theirs_all: rate from the authors' areas on all their days.
    """

    well: str
    days: tuple[int, ...]
    ours: growth.Rate
    theirs: growth.Rate
    theirs_all: growth.Rate


class Agreed(NamedTuple):
    """Bias and limits of agreement.

    Attributes:
      areas: `statistics.Limits` of ln(ours / theirs), with intervals over wells.
      rates: `statistics.Limits` of our rate minus theirs on the same days, per day.
    """

    areas: statistics.Limits
    rates: statistics.Limits


class Found(NamedTuple):
    """All results.

    Attributes:
      model: name and hash of the model.
      images: list of `Compared`.
      rates: list of `WellRates`, of wells with at least `LEAST_DAYS` days in common.
      agreed: `Agreed` of all images.
      trusted: `Agreed` of the images with the verdict "ok".
    """

    model: str
    images: list[Compared]
    rates: list[WellRates]
    agreed: Agreed
    trusted: Agreed


def main(arguments=None):
    """Measures, compares, prints the tables; returns the exit status."""
    return failures.exit_status(NAME, _run, _parser().parse_args(arguments))


def _run(given):
    compilation.keep_programs(cache.folder())
    page = _open_page(given.output / PAGE) if given.output else ("", "")
    place = given.data / "dataset2"
    theirs = read_authors(place / "authors_measurements.csv")
    model, ours = measure(place / "images", given.model)
    found = compare(model, ours, theirs, place / "masks")
    text = agreement_tables.render(found)
    print(text)
    if given.output:
        with files.replacing(given.output / PAGE) as file:
            file.write("\n\n".join((page[0] + MARKERS[0], text, MARKERS[1] + page[1])))
        with files.replacing(given.output / FIGURE, "wb") as file:
            file.write(agreement_figure.draw(found).svg)


def read_authors(path):
    """Reads the authors' areas in um2, by well and day."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["pos"], int(row["day"])): float(row["area"]) for row in csv.DictReader(file)}


def measure(images, model):
    """Measures the images of a folder as `spheroid measure` does.

    Returns:
      Name of the model, and the `observations.Observation` of each well and day; its value is the
      area in um2.
    """
    with tempfile.TemporaryDirectory() as folder:
        choice = plan.Choice(pixel_size_um=PIXEL_SIZE_UM)
        run.measure_files([images], folder, run.MeasureOptions(model=model, choice=choice))
        name = json.loads((pathlib.Path(folder) / "run.json").read_text("utf-8"))["model"]
        seen = observations.read([folder], measure="area").rows
    named = [(_STEM.fullmatch(pathlib.Path(each.image).stem), each) for each in seen]
    return name, {(stem[1], int(stem[2])): each for stem, each in named if stem}


def compare(model, ours, theirs, masks):
    """Compares the areas of the images that both measured, and the rates of their wells.

    Args:
      model: name of the model.
      ours: dict from well and day to `observations.Observation`.
      theirs: dict from well and day to an area.
      masks: folder of masks, with the images' names; it may be missing.

    Raises:
      AgreementError: fewer than 3 images or wells can be compared.
    """
    images = [
        Compared(
            *(well, day, each.value, theirs.get((well, day), math.nan)),
            *(mask_area(masks / pathlib.Path(each.image).name), each.verdict),
        )
        for (well, day), each in sorted(ours.items())
    ]
    pairs = [each for each in images if math.isfinite(each.ours) and each.theirs > 0]
    trusted = [each for each in pairs if each.verdict == "ok"]
    rates = all_rates(pairs, theirs)
    agreed = agreement(pairs, rates), agreement(trusted, all_rates(trusted, theirs))
    return Found(model, images, rates, *agreed)


def agreement(pairs, rates):
    """Computes `Agreed` of images and rates; images of one well are one group.

    Raises:
      AgreementError: there are fewer than 3 images or wells.
    """
    if len(rates) < 3:
        raise AgreementError(f"{len(rates)} wells with {LEAST_DAYS} days in common, 3 needed")
    ours, theirs = (np.log([getattr(each, who) for each in pairs]) for who in WHO)
    areas = statistics.bland_altman(ours, theirs, [each.well for each in pairs])
    first, second = (
        np.array([getattr(each, who).rate_per_day.value for each in rates]) for who in WHO
    )
    return Agreed(areas, statistics.bland_altman(first, second))


def all_rates(pairs, theirs):
    """Computes the rates of the wells with at least `LEAST_DAYS` days in common."""
    rates = [rates_of(well, pairs, theirs) for well in sorted({each.well for each in pairs})]
    return [each for each in rates if len(each.days) >= LEAST_DAYS]


def rates_of(well, pairs, theirs):
    """Computes the rates of one well from the areas of both.

    Args:
      well: name of the well.
      pairs: `Compared` images with both areas.
      theirs: dict from well and day to an area.
    """
    shared = sorted((each.day, each.ours, each.theirs) for each in pairs if each.well == well)
    every = sorted((day, area) for (name, day), area in theirs.items() if name == well)
    days, first, second = zip(*shared, strict=True)
    all_days = rate(*zip(*every, strict=True))
    return WellRates(well, days, rate(days, first), rate(days, second), all_days)


def rate(days, areas):
    """Computes the specific growth rate of the volume from areas."""
    hours = growth.HOURS_PER_DAY * np.array(days, float)
    return growth.specific_rate(hours, np.array(areas, float), power=AREA_POWER)


def mask_area(path):
    """Returns the area of a mask in um2; NaN if there is no such file."""
    if not path.is_file():
        return math.nan
    with Image.open(path) as mask:
        return PIXEL_SIZE_UM**2 * float(np.count_nonzero(np.asarray(mask)))


def _open_page(path):
    """Returns the text of a page before and after the measured part."""
    before, begin, rest = path.read_text("utf-8").partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    if not (begin and end):
        raise AgreementError(f"{path}: needs the lines {MARKERS[0]} and {MARKERS[1]}")
    return before, after


def _parser():
    parser = argparse.ArgumentParser(
        prog=NAME, description="Compares areas and growth rates with those of other authors."
    )
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--model", default=pretrained.DEFAULT, help="(%(default)s)")
    parser.add_argument(
        "--output", type=pathlib.Path, metavar="FOLDER", help=f"folder of {PAGE}; also draws"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
