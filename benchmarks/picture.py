"""Picture of the packaged model's contours on a row of images.

    python -m benchmarks.picture image_1.tiff image_2.tiff --output=docs/pictures/results.png

draws a square around the body of each image, with the contour of its mask. Without images, the
script draws synthetic ones. `docs/evidence/pictures.md` lists the images of README's picture.
"""

import argparse
import pathlib

import numpy as np
from matplotlib import figure

import spheroid_jax as sj
from spheroid_jax.runtime import files
from spheroid_jax.synthetic import varied

_SIDE_IN, _DPI = 1.5, 200
_COLOUR = "#e69f00"  # Okabe and Ito's colour-blind safe orange
_DRAWN = (8, 12, 18, 26, 35, 38)  # numbers of drawn images
_SEED = 7  # a collection that the model was not trained on
_ZOOM = 2.4  # side of the square / longer side of the body
_SHADES = (0.5, 99.5)  # percentiles shown as black and white


def main(arguments=None):
    """Writes the picture."""
    given = _parser().parse_args(arguments)
    pictures = [sj.read_image(path) for path in given.images] or [
        varied.make_image(number, seed=_SEED, size=320)[0] for number in _DRAWN
    ]
    model = sj.load(given.model)
    pairs = [(picture, sj.segment(model, picture).mask) for picture in pictures]
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(given.output, "wb") as file:
        _draw(pairs).savefig(file, dpi=_DPI, format="png")
    print(f"{len(pairs)} images drawn in {given.output}")


def _draw(pairs):
    """Returns a figure with one panel per pair of image and mask."""
    picture = figure.Figure(figsize=(_SIDE_IN * len(pairs), _SIDE_IN), layout="constrained")
    picture.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    axes = picture.subplots(1, len(pairs), squeeze=False)
    for axis, (image, mask) in zip(axes.flat, pairs, strict=True):
        gray = image.mean(axis=-1) if image.ndim == 3 else image
        square = _square(mask)
        low, high = np.percentile(gray[square], _SHADES)
        axis.imshow(gray[square], cmap="gray", vmin=low, vmax=high)
        axis.contour(mask[square], levels=[0.5], colors=[_COLOUR], linewidths=1.2)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(color="0.7", linewidth=0.5)
    return picture


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
    parser.add_argument("--model", default="spheroid-small", help="(%(default)s)")
    parser.add_argument("--output", type=pathlib.Path, default="docs/pictures/results.png")
    return parser


if __name__ == "__main__":
    main()
