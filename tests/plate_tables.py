"""Tables as `spheroid measure` writes them, for tests."""

import csv
import pathlib


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
