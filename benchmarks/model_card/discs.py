"""Part `discs`: drawn sharp discs from 3 to 60 % of the frame's width.

A disc's diameter is known exactly, so that an error of the contour shows by size of the body.
"""

import itertools

import numpy as np

import spheroid_jax as sj
from benchmarks.model_card.numbers import cell, plain
from spheroid_jax.report.tables import Table

SHARES = (0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32, 0.45, 0.6)
SIDES = (512, 1080)
# Places of the centre from the frame's middle, over the frame's width; between the pixels.
PLACES = ((0.0, 0.0), (0.1513, -0.0871), (-0.1237, 0.1618))
# Gray of the ground and of the disc.
TONES = {"dark": (0.75, 0.35), "faint": (0.7, 0.58), "bright": (0.15, 0.7)}
_NOISE = 0.01
_SEED = 909
# A disc that overlaps with the largest body by less than this IoU is not found.
_LEAST_IOU = 0.5


def draw(side, share, place, tones, rng):
    """Draws a sharp disc: each pixel has the disc's tone by the share that the disc covers of it.

    Args:
      side: side of the frame in pixels.
      share: diameter over the side.
      place: vector from the frame's middle to the disc's, over the side.
      tones: gray of the ground and of the disc.
      rng: generator of the noise.

    Returns:
      The image, uint8 (side, side), and the share of each pixel that the disc covers.
    """
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    away = np.hypot(rows - place[0] * side, columns - place[1] * side)
    cover = np.clip(share * side / 2 - away + 0.5, 0, 1)
    ground, disc = tones
    light = ground + (disc - ground) * cover + _NOISE * rng.standard_normal(cover.shape)
    return np.rint(255 * light.clip(0, 1)).astype(np.uint8), cover


def measure(given):
    """Measures the largest body in each drawn disc.

    Args:
      given: `settings.Given`.

    Returns:
      list with one dict per disc: side, share, tone, whether it is found, and the relative error
      of the diameter.
    """
    params = sj.load(given.model)
    cases = list(itertools.product(SIDES, SHARES, PLACES, TONES))
    rng = np.random.default_rng(_SEED)
    # Drawn, because every n-th case may have one place and one tone.
    chosen = np.sort(rng.permutation(len(cases))[: given.count(len(cases))])
    found = []
    for side, share, place, tone in (cases[n] for n in chosen):
        image, cover = draw(side, share, place, TONES[tone], rng)
        mask = sj.segment(params, image).mask
        found.append({"side": side, "share": share, "tone": tone} | error(mask, cover, share))
    return plain(found)


def error(mask, cover, share):
    """Compares the diameter of a mask with that of the drawn disc."""
    truth = cover > 0.5
    iou = np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)
    diameter = 2 * np.sqrt(np.count_nonzero(mask) / np.pi)
    true = share * len(cover)
    return {"found": iou > _LEAST_IOU, "error": diameter / true - 1, "iou": iou}


def slope(found):
    """Least-squares slope of the error, in percent per doubling of the diameter."""
    seen = [(np.log2(each["share"]), each["error"]) for each in found if each["found"]]
    if len({share for share, _ in seen}) < 2:
        return None
    return float(100 * np.polyfit(*np.transpose(seen), 1)[0])


def tables(found):
    """Makes the table of what `measure` returned."""
    rows = []
    for share in sorted({each["share"] for each in found}):
        own = [each for each in found if each["share"] == share]
        rows.append([f"{100 * share:.0f} %", *_summary(own)])
    for side in dict.fromkeys(each["side"] for each in found):
        rows.append([f"all, {side} px", *_summary([e for e in found if e["side"] == side])])
    for tone in dict.fromkeys(each["tone"] for each in found):
        rows.append([f"all, {tone}", *_summary([e for e in found if e["tone"] == tone])])
    return [
        Table(
            "Drawn sharp discs: diameter found over the true one, minus 1; percent. Trend: "
            "percent per doubling of the diameter",
            [
                *("diameter / width", "discs", "found"),
                *("median error", "least", "largest", "within 2 %", "trend"),
            ],
            rows,
        )
    ]


def _summary(own):
    """Returns the cells of some discs."""
    errors = np.array([each["error"] for each in own if each["found"]])
    counted = [cell(len(own), scale=1, digits=0), cell(len(errors), scale=1, digits=0)]
    within = cell(np.count_nonzero(abs(errors) <= 0.02), scale=1, digits=0)
    if not len(errors):
        return [*counted, *[cell(None)] * 3, within, cell(None)]
    values = (np.median(errors), errors.min(), errors.max())
    return [*counted, *map(cell, values), within, cell(slope(own), scale=1, digits=2)]
