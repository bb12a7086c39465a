"""Image files of microscopes: reading, conversion to gray, resampling to the grid, and writing.

Training and inference share these steps from a file, or an array, to what a network sees. An
`image` is what a microscope writes, (H, W) or (H, W, C) of any number type; `gray` is (H, W)
float32; `normalised` is gray with its 1st and 99th percentile at 0 and 1, clipped; the `grid` is
the network's square frame of `size` pixels a side, onto which the image is resampled and, where it
is not square, centred (`Box`) and continued with the values of its edge.
"""

from spheroid_jax.images.grid import (
    BACKGROUND,
    FOREGROUND,
    OUTSIDE,
    Box,
    grid_box,
    mask_to_grid,
    preprocess,
    resample,
    to_grid,
)
from spheroid_jax.images.image import Image, ImageError, Plane, Scene
from spheroid_jax.images.intensity import LUMINANCE, MIN_SIDE_PX, PERCENTILES, normalise, to_gray
from spheroid_jax.images.reading import (
    SUFFIXES,
    describe,
    read,
    read_gray,
    read_image,
    read_labels,
    read_mask,
)
from spheroid_jax.images.write import jpeg, write_gray, write_mask

__all__ = [
    "BACKGROUND",
    "FOREGROUND",
    "LUMINANCE",
    "MIN_SIDE_PX",
    "OUTSIDE",
    "PERCENTILES",
    "SUFFIXES",
    "Box",
    "Image",
    "ImageError",
    "Plane",
    "Scene",
    "describe",
    "grid_box",
    "jpeg",
    "mask_to_grid",
    "normalise",
    "preprocess",
    "read",
    "read_gray",
    "read_image",
    "read_labels",
    "read_mask",
    "resample",
    "to_gray",
    "to_grid",
    "write_gray",
    "write_mask",
]
