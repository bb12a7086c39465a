"""A drawn plate with known answers: an active drug, an inactive one, and controls, over six days.

Each spheroid grows exponentially, V(t) = V0 exp(k(c) t). The rate k(c) is such that on the last day
the volume, divided by that of the control, is the Hill curve with `EC50_UM`, `HILL` and `BOTTOM`.
Two wells are empty, one holds debris alone.
"""

import csv
import math
import os
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from scipy import ndimage

from spheroid_jax import images
from spheroid_jax.synthetic import tissue
from spheroid_jax.synthetic.drawing import Rng
from spheroid_jax.synthetic.scenes import blobs, crowds, distractors, scene

SIZE_PX = 540
PIXEL_SIZE_UM = 2.0
DAYS = (0, 2, 4, 6)
RATE_PER_DAY = 0.35  # of wells without an active drug
START_UM = 260.0  # diameter of the mean spheroid on the first day
EC50_UM, HILL, BOTTOM = 1.0, 1.5, 0.15
ACTIVE, INACTIVE = "alphastatin", "betamycin"
DOSES_UM = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# Standard deviations of the logarithm of the volume: of wells, and of images of one well.
_WELLS_SD, _IMAGES_SD = 0.08, 0.02
_STREAM = 9  # apart from the streams of the other modules
MAP_COLUMNS = ("plate", "well", "cell_line", "treatment", "concentration", "concentration_unit")
MAP_COLUMNS += ("role", "replicate")
_UNEVEN = 0.2  # share of the uneven light that the field keeps
# Gray of the field, standard deviation of the noise, and blur in pixels.
_FIELD, _NOISE, _BLUR_PX = 0.72, 0.012, 1.2


class Well(NamedTuple):
    """One well of the drawn plate.

    Attributes:
      well: "B03".
      treatment: name of the drug; "DMSO" for controls, "" for wells without a spheroid.
      concentration_um: in uM; NaN for controls and wells without a spheroid.
      role: role in the plate map.
      replicate: number of the replicate.
      content: "spheroid", "empty" or "debris".
    """

    well: str
    treatment: str
    concentration_um: float
    role: str
    replicate: int
    content: str


def wells() -> list[Well]:
    """Lists the wells: rows B to D the active drug, E to G the inactive one, H controls."""
    found = []
    for drug, rows in ((ACTIVE, "BCD"), (INACTIVE, "EFG")):
        for replicate, row in enumerate(rows, start=1):
            found += [
                Well(f"{row}{column:02d}", drug, dose, "sample", replicate, "spheroid")
                for column, dose in enumerate(DOSES_UM, start=2)
            ]
    for row, first in (("B", 10), ("E", 10)):
        found += [
            Well(f"{chr(ord(row) + n)}{first:02d}", "DMSO", math.nan, "negative", n + 1, "spheroid")
            for n in range(3)
        ]
    found += [Well(f"H{n:02d}", "", math.nan, "blank", n - 1, "empty") for n in (2, 3)]
    found.append(Well("D11", ACTIVE, DOSES_UM[-1], "sample", 4, "debris"))
    return sorted(found, key=lambda each: each.well)


def response(concentration_um: float) -> float:
    """Returns the volume on the last day over that of the control, of the active drug."""
    return BOTTOM + (1 - BOTTOM) / (1 + (concentration_um / EC50_UM) ** HILL)


def rate_per_day(well: Well) -> float:
    """Returns the true growth rate of a well's spheroid."""
    if well.treatment != ACTIVE:
        return RATE_PER_DAY
    return RATE_PER_DAY + math.log(response(well.concentration_um)) / DAYS[-1]


def write(folder: str | os.PathLike, *, seed: int = 0) -> pathlib.Path:
    """Writes the images, `day0/B02.png` and so on, and the plate map, `map.csv`.

    Args:
      folder: a new or empty folder.
      seed: number of the plate, >= 0.

    Returns:
      The path of the plate map.

    Raises:
      FileExistsError: the folder holds files.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} holds files; choose another folder")
    for name, image in draw(seed):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        images.write_gray(path, image)
    path = folder / "map.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(MAP_COLUMNS)
        for well in wells():
            dosed = not math.isnan(well.concentration_um)
            dose = (well.concentration_um, "uM") if dosed else ("", "")
            cells = ("demo", well.well, "drawn", well.treatment, *dose, well.role, well.replicate)
            writer.writerow(cells)
    return path


def draw(seed: int = 0) -> Iterator[tuple[str, UInt8[np.ndarray, "S S"]]]:
    """Yields the name and the image of each well on each day."""
    for number, well in enumerate(wells()):
        rng = np.random.default_rng([seed, number, _STREAM])
        start = math.log(math.pi / 6 * START_UM**3) + _WELLS_SD * rng.standard_normal()
        family = blobs.draw_family(rng, wild=0.35)
        look = _look(rng)
        for day in DAYS:
            volume = math.exp(start + rate_per_day(well) * day + _IMAGES_SD * rng.standard_normal())
            diameter = (6 * volume / math.pi) ** (1 / 3) / (SIZE_PX * PIXEL_SIZE_UM)
            yield f"day{day}/{well.well}.png", _image(rng, well.content, diameter, family, look)


def _look(rng: Rng) -> tissue.Look:
    """Draws the look of a spheroid of one cell line: dark and grainy, with a soft outline."""
    return tissue.draw(rng)._replace(
        tone=rng.uniform(0.3, 0.42),
        dome=rng.uniform(0.3, 0.6),
        core=0.0,
        rim=0.1,
        halo=0.15,
        relief=0.0,
        grain=0.12,
        patches=0.0,
        folds=0.0,
    )


def _image(rng: Rng, content: str, diameter: float, family, look) -> UInt8[np.ndarray, "S S"]:
    """Draws one image; `diameter` is in units of the frame."""
    light = scene.ground(rng, SIZE_PX)
    light = light.mean() + _UNEVEN * (light - light.mean())
    if content == "spheroid":
        x, y = (0.5 + rng.uniform(-0.06, 0.06, 2)).tolist()
        fitted = scene.scaled(look, diameter, SIZE_PX)
        body = blobs.draw(rng, SIZE_PX, family, diameter / 2, x, y, margin=0.1)
        light, _ = crowds.lay(rng, light, [body], fitted)
    elif content == "debris":
        distractors.dust(rng, light)
        crowds.add_specks(rng, light, 0.03)
    return _expose(rng, light)


def _expose(rng: Rng, light: np.ndarray) -> UInt8[np.ndarray, "S S"]:
    """Takes the image with the one microscope of the plate."""
    gray = ndimage.gaussian_filter(light, _BLUR_PX) * (_FIELD / np.median(light))
    gray += _NOISE * rng.standard_normal(light.shape)
    return np.rint(255 * np.clip(gray, 0, 1)).astype(np.uint8)
