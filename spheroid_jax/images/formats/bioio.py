"""Files of further formats, read with the package bioio and its plugins, where these are installed.

This module is asked last, and only about files whose suffix no other format has. bioio drops the
units of lengths, gives 1.0 where a file states no pixel size, and makes up names; none of these
counts here.
"""

import pathlib
import re

import numpy as np
from jaxtyping import Shaped

from spheroid_jax.images.formats import pixel_size
from spheroid_jax.images.image import ImageError, Plane, Scene
from spheroid_jax.runtime import extras

# Names that bioio gives to scenes and channels without one.
_MADE_UP = re.compile(r"(Image|Channel)(:\d+)+")


def is_installed() -> bool:
    """Returns whether bioio is installed."""
    try:
        _packages()
    except extras.MissingPackage:
        return False
    return True


def describe(path: pathlib.Path) -> tuple[Scene, ...]:
    """Describes the scenes of a file; the plugin decides by the file's suffix."""
    file = _opened(path)
    scenes = []
    for number, name in enumerate(file.scenes):
        file.set_scene(number)
        scenes.append(_scene(file, name))
    return tuple(scenes)


def read(
    path: pathlib.Path, scene: int, plane: Plane
) -> Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W 3"]:
    """Reads one plane; an alpha channel is dropped."""
    file = _opened(path)
    file.set_scene(scene)
    at = {"T": plane.t, "C": plane.channel, "Z": plane.z}
    samples = _samples(file)
    pixels = file.get_image_dask_data("YXS" if samples > 1 else "YX", **at).compute()
    if samples == 1:
        return pixels
    return np.ascontiguousarray(pixels[..., :3] if samples > 2 else pixels[..., 0])


# Numbers count as they are stored in images and masks alike.
read_stored = read


def _packages():
    with extras.needed("a file of this format", "bioio"):
        import bioio
        from bioio_base.exceptions import (  # pyright: ignore[reportMissingImports]
            UnsupportedFileFormatError,
        )
    return bioio, UnsupportedFileFormatError


def _opened(path):
    bioio, unsupported = _packages()
    try:
        return bioio.BioImage(path)
    except unsupported:
        raise ImageError(
            "not an image, or damaged, or of a format for which no plugin of bioio is installed"
        ) from None


def _scene(file, name):
    lengths = dict(zip(file.dims.order, file.dims.shape, strict=True))
    if lengths.get("M", 1) > 1:
        raise ImageError(f"a mosaic of {lengths['M']} tiles, which is not read")
    kept = "".join(axis for axis in "TZC" if lengths[axis] > 1) + "YX"
    colour = _samples(file) > 2
    names = tuple(_stated(each) for each in file.channel_names or ())
    size, notes = _pixel_size_um(file)
    return Scene(
        name=_stated(name),
        axes=kept + "S" * colour,
        shape=(*(lengths[axis] for axis in kept), *(3,) * colour),
        dtype=np.dtype(file.dtype),
        channel_names=names if len(names) == lengths["C"] and any(names) else (),
        pixel_size_um=size,
        notes=("read with bioio", *notes),
    )


def _samples(file):
    return file.dims.shape[file.dims.order.index("S")] if "S" in file.dims.order else 1


def _stated(name):
    return "" if _MADE_UP.fullmatch(str(name)) else str(name)


def _pixel_size_um(file):
    """Side of a pixel, if its unit is known; else None, and a note about a number without one."""
    sizes, about = file.physical_pixel_sizes, file.dimension_properties
    sides, units = (sizes.X, sizes.Y), (about.X.unit, about.Y.unit)
    if sizes.X is None or sides == (1, 1):
        return None, ()
    if not all(units):
        return None, (f"a pixel size of {sizes.X:g} without a unit was ignored",)
    lengths = (pixel_size.from_length(*each) for each in zip(sides, map(str, units), strict=True))
    return pixel_size.from_sides(*lengths), ()
