"""Contact sheet of the drawn scenes of each kind, and the time that a scene takes.

    python -m benchmarks.scenes --output=docs/evidence/drawn-scenes.png

draws one row of scenes per kind, with the contours of the bodies in every other scene, and prints
the mean time of one core per scene. `spheroid_jax/synthetic/scenes` draws the scenes.
"""

import argparse
import pathlib
import time

import numpy as np
from PIL import Image
from skimage import segmentation

from spheroid_jax.runtime import files
from spheroid_jax.synthetic import scenes

_COLUMNS = 8
_SIDE_PX = 96  # side of one panel
_COLOUR = (230, 159, 0)  # Okabe and Ito's orange
_COLOURS = 36  # of the PNG's palette, which shrinks the file
_SEED = 300  # number of the first scene


def main(arguments=None):
    """Writes the contact sheet and prints the times."""
    given = _parser().parse_args(arguments)
    rows = []
    for kind in scenes.KINDS:
        row = [scenes.draw_scene(_SEED + n, given.size, kind) for n in range(_COLUMNS)]
        spent = _seconds(kind, given.size, given.count)
        print(f"{kind}: {1e3 * spent:.0f} ms per scene of {given.size} px")
        rows.append([_panel(scene, outlined=n % 2 == 1) for n, scene in enumerate(row)])
    sheet = Image.fromarray(np.vstack([np.hstack(row) for row in rows])).quantize(_COLOURS)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(given.output, "wb") as file:
        sheet.save(file, format="png", optimize=True)


def _seconds(kind, size, count):
    """Returns the mean time of one core per scene, once the splines of most sizes are cached."""
    for seed in range(count):
        scenes.draw_scene(seed, size, kind)
    start = time.process_time()
    for seed in range(count, 2 * count):
        scenes.draw_scene(seed, size, kind)
    return (time.process_time() - start) / count


def _panel(scene, *, outlined):
    """Returns one scene as a small colour image, with or without the contours of its bodies."""
    small = (_SIDE_PX, _SIDE_PX)
    image = Image.fromarray(scene.image).resize(small, Image.Resampling.LANCZOS).convert("RGB")
    panel = np.array(image)
    if outlined:
        labels = Image.fromarray(scene.labels).resize(small, Image.Resampling.NEAREST)
        panel[segmentation.find_boundaries(np.asarray(labels), mode="inner")] = _COLOUR
    return panel


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenes", description=__doc__)
    parser.add_argument("--size", type=int, default=256, help="side of a scene, px (%(default)s)")
    parser.add_argument("--count", type=int, default=50, help="timed scenes (%(default)s)")
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path("docs/evidence/drawn-scenes.png")
    )
    return parser


if __name__ == "__main__":
    main()
