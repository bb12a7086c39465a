"""Image files of microscopes: reading, conversion to gray, resampling to the grid, and writing.

Training and inference share these steps. An `image` is (H, W) or (H, W, C) with any number type;
`gray` is (H, W) float32; `normalised` gray has its 1st and 99th percentiles at 0 and 1 and is
clipped. The `grid` is the network's square input of `size` x `size` pixels. An image is resampled
onto the grid and, if it is not square, centred (`Box`); its edge is repeated outside the box.
"""

from spheroid_jax.images.choice import choose_plane, choose_scene
from spheroid_jax.images.grid import (
    BACKGROUND,
    CORE,
    FOREGROUND,
    MARKER,
    OUTSIDE,
    Box,
    Enlarged,
    ImageMap,
    gray_to_grid,
    grid_box,
    is_body,
    is_core,
    is_marker,
    labels_to_grid,
    mask_to_grid,
    nearest,
    preprocess,
    reduced,
    resample,
    to_grid,
)
from spheroid_jax.images.image import Image, ImageError, Plane, Scene
from spheroid_jax.images.intensity import (
    LUMINANCE,
    MIN_SIDE_PX,
    PERCENTILES,
    Gray,
    measured,
    normalise,
    stripes,
    to_gray,
)
from spheroid_jax.images.reading import (
    MAX_PIXELS,
    SUFFIXES,
    check_size,
    describe,
    read,
    read_gray,
    read_image,
    read_labels,
    read_mask,
)
from spheroid_jax.images.repair import repair
from spheroid_jax.images.write import jpeg, picture, write_gray, write_mask

__all__ = [
    "BACKGROUND",
    "CORE",
    "FOREGROUND",
    "LUMINANCE",
    "MARKER",
    "MAX_PIXELS",
    "MIN_SIDE_PX",
    "OUTSIDE",
    "PERCENTILES",
    "SUFFIXES",
    "Box",
    "Enlarged",
    "Gray",
    "Image",
    "ImageError",
    "ImageMap",
    "Plane",
    "Scene",
    "check_size",
    "choose_plane",
    "choose_scene",
    "describe",
    "gray_to_grid",
    "grid_box",
    "is_body",
    "is_core",
    "is_marker",
    "jpeg",
    "labels_to_grid",
    "mask_to_grid",
    "measured",
    "nearest",
    "normalise",
    "picture",
    "preprocess",
    "read",
    "read_gray",
    "read_image",
    "read_labels",
    "read_mask",
    "reduced",
    "repair",
    "resample",
    "stripes",
    "to_gray",
    "to_grid",
    "write_gray",
    "write_mask",
]
