"""Picture for README: contours found by the packaged model on drawn images.

    python -m benchmarks.picture --output=docs/pictures/results.png

cuts a square around the body of each image and draws the contour of the predicted mask. If image
files are given as arguments, the picture shows these files instead of the drawn images.
"""

import argparse
import io
import pathlib

import numpy as np
from matplotlib import figure
from PIL import Image

import spheroid_jax as sj
from spheroid_jax.inference import pretrained
from spheroid_jax.runtime import files
from spheroid_jax.synthetic import varied

_COLUMNS = 4
_SIDE_PX = 240  # side of one panel
_GAP = 0.0167  # between panels, share of a panel's side
_DPI = 100
_COLOUR = "#e69f00"  # Okabe and Ito's orange, which colour-blind readers tell from gray
_COLOURS = 96  # of the PNG's palette, which halves the file
_DRAWN = (12, 15, 55, 38, 35, 73, 11, 18)  # drawn images, chosen by eye
_SEED = 7  # collection of drawn images that the packaged model was not trained on
_SIZE = 480  # longer side of a drawn image, px
_ZOOM = 2.2  # side of the square / longer side of the body
_SHADES = (0.2, 99.8)  # percentiles shown as black and white


def main(arguments=None):
    """Writes the picture."""
    given = _parser().parse_args(arguments)
    shown = [sj.read_image(path) for path in given.images] or [
        varied.make_image(number, seed=_SEED, size=_SIZE)[0] for number in _DRAWN
    ]
    model = sj.load(given.model)
    pairs = [(image, sj.segment(model, image).mask) for image in shown]
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(given.output, "wb") as file:
        _draw(pairs).save(file, format="png", optimize=True)
    print(f"{len(pairs)} images drawn in {given.output}")


def _draw(pairs):
    """Returns a palette image with one panel per pair of image and mask, four panels per row."""
    columns = min(_COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    side = _SIDE_PX / _DPI
    drawn = figure.Figure(figsize=(columns * side, rows * side), dpi=_DPI)
    for number, (image, mask) in enumerate(pairs):
        row, column = divmod(number, columns)
        left, bottom = (column + _GAP / 2) / columns, 1 - (row + 1 - _GAP / 2) / rows
        place = (left, bottom, (1 - _GAP) / columns, (1 - _GAP) / rows)
        _panel(drawn.add_axes(place), image, mask)
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB").quantize(_COLOURS)


def _panel(axis, image, mask):
    """Draws one image and the contour of its mask."""
    gray = image.mean(axis=-1) if image.ndim == 3 else image
    square = _square(mask)
    low, high = np.percentile(gray[square], _SHADES)
    axis.imshow(gray[square], cmap="gray", vmin=low, vmax=high, interpolation="lanczos")
    axis.contour(mask[square], levels=[0.5], colors=[_COLOUR], linewidths=1.4)
    axis.set_axis_off()


def _square(mask):
    """Returns slices of rows and columns: a square around the body, inside the image."""
    places = np.argwhere(mask)
    if not len(places):
        raise SystemExit("an image without a body cannot be shown")
    low, high = places.min(axis=0), places.max(axis=0) + 1
    side = int(min(_ZOOM * (high - low).max(), *mask.shape))
    starts = np.clip((low + high - side) // 2, 0, np.array(mask.shape) - side)
    return tuple(slice(start, start + side) for start in starts)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.picture", description=__doc__)
    parser.add_argument("images", nargs="*", help="image files (default: drawn images)")
    parser.add_argument("--model", default=pretrained.DEFAULT, help="(%(default)s)")
    parser.add_argument("--output", type=pathlib.Path, default="docs/pictures/results.png")
    return parser


if __name__ == "__main__":
    main()
