"""Tables as `spheroid measure` writes them, for tests."""

import csv
import math
import pathlib

import numpy as np

from spheroid_jax.synthetic import plate


def write_results(folder: pathlib.Path, images):
    """Writes images.csv and measurements.csv.

    Args:
      folder: folder of results; made if need be.
      images: dicts with `image`, `well`, perhaps `day`, `hour`, `time`, `verdict`, `flags`,
        `reason`, and `volumes`, a list of volumes in um3 (none: not measured). `px` instead of
        `volumes` gives them in pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = ("image", "scene", "time", "well", "day", "hour", "field", "verdict")
    sizes = ("volume_sphere_um3", "volume_sphere_px3")
    with (
        open(folder / "images.csv", "w", newline="", encoding="utf-8-sig") as first,
        open(folder / "measurements.csv", "w", newline="", encoding="utf-8-sig") as second,
    ):
        of_images = csv.DictWriter(first, [*place, "reason", "flags"], extrasaction="ignore")
        of_bodies = csv.DictWriter(second, [*place, "body", *sizes], extrasaction="ignore")
        of_images.writeheader()
        of_bodies.writeheader()
        for image in images:
            row = {"verdict": "ok", **image}
            of_images.writerow(row)
            um, px = image.get("volumes", []), image.get("px", [])
            for body, (in_um, in_px) in enumerate(
                [(value, value) for value in um] + [("", value) for value in px], start=1
            ):
                of_bodies.writerow(row | {"body": body, sizes[0]: in_um, sizes[1]: in_px})
            if not um and not px:
                of_bodies.writerow(row)
    return folder


def write_plate(folder: pathlib.Path, *, experiments=("one",), seed=0, days=plate.DAYS, leave=()):
    """Writes results and map of the plate of `synthetic.plate`, without drawing an image.

    Args:
      folder: gets results/ and map.csv.
      experiments: names of the plates, one experiment each.
      seed: of the wells' noise.
      days: days of the images.
      leave: wells whose rows of the map are left out.

    Returns:
      The folder of results, and the map.
    """
    rng = np.random.default_rng(seed)
    images, lines = [], [",".join(plate.MAP_COLUMNS)]
    start = math.log(math.pi / 6 * plate.START_UM**3)
    for name in experiments:
        for well in plate.wells():
            dosed = not math.isnan(well.concentration_um)
            dose = (f"{well.concentration_um:g}", "uM") if dosed else ("", "")
            cells = (name, well.well, "line", well.treatment, *dose, well.role, well.replicate)
            if well.well not in leave:
                lines.append(",".join(map(str, cells)))
            log = start + 0.08 * rng.standard_normal()
            for day in days:
                noise = 0.02 * rng.standard_normal()
                volume = math.exp(log + plate.rate_per_day(well) * day + noise)
                image = {"image": f"{name}/day{day}/{well.well}.png", "well": well.well}
                seen = well.content == "spheroid"
                image |= {"day": str(day), "verdict": "ok" if seen else "empty"}
                images.append(image | {"volumes": [volume] if seen else []})
    (folder / "map.csv").parent.mkdir(parents=True, exist_ok=True)
    (folder / "map.csv").write_text("\n".join(lines) + "\n")
    return write_results(folder / "results", images), folder / "map.csv"
