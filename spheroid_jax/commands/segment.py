"""Segments image files: a mask for each.

    python -m spheroid_jax runs/demo/fold_0 plate/*.tif --output=masks

writes masks/NAME.png (0 and 255) for every plate/NAME.tif, at the image's own
size. An image that cannot be used is named, and does not stop the others.
"""

import argparse
import collections
import pathlib
import sys

from spheroid_jax import images
from spheroid_jax.inference import model_file, stream
from spheroid_jax.runtime import cache, compilation, files


def main(arguments=None):
    """Runs the command; returns the exit status."""
    given = _parser().parse_args(arguments)
    output = pathlib.Path(given.output)
    try:
        _check_output(output, given.images)
        compilation.keep_programs(cache.folder())
        model = model_file.load(given.model)
        output.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        print(f"spheroid_jax: {error}", file=sys.stderr)
        return 2
    failed = 0
    for result in stream.segment_stream(model, given.images):
        if result.error is not None:
            failed += 1
            print(f"spheroid_jax: {result.error}", file=sys.stderr)
            continue
        with files.replacing(_mask_path(output, result.source), "wb") as file:
            images.write_mask(file, result.segmentation.mask)
    done = len(given.images) - failed
    print(f"{done} of {len(given.images)} masks written to {output}")
    return 1 if failed else 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m spheroid_jax",
        description="Writes a mask (0 and 255) for each image, at its size.",
    )
    parser.add_argument(
        "model", help="the folder of a trained fold or run, or a packaged model's name"
    )
    parser.add_argument("images", nargs="+", help="image files")
    parser.add_argument("--output", default="masks", help="folder of the masks (%(default)s)")
    return parser


def _mask_path(output, image):
    return output / f"{pathlib.Path(image).stem}.png"


def _check_output(output, paths):
    """Two images must not claim one mask, nor a mask an image's place."""
    counts = collections.Counter(_mask_path(output, path) for path in paths)
    for path in paths:
        mask = _mask_path(output, path)
        if counts[mask] > 1:
            raise ValueError(
                f"{counts[mask]} of the images would be written to {mask}; "
                "segment them into different folders"
            )
        if mask.resolve() == pathlib.Path(path).resolve():
            raise ValueError(f"{mask} is an image; choose another --output")
