"""LIF files of Leica's LAS, read with the package liffile."""

import contextlib
import pathlib
from typing import Any

import numpy as np
from jaxtyping import Shaped

from spheroid_jax.images.image import ImageError, Plane, Scene
from spheroid_jax.runtime import extras

_HEAD = b"\x70\x00\x00\x00"


def matches(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes is a LIF file."""
    return head.startswith(_HEAD)


def describe(path: pathlib.Path) -> tuple[Scene, ...]:
    """Describes the scenes of a file: one per image."""
    with _opened(path) as file:
        return tuple(_scene(image) for image in file.images)


def read(
    path: pathlib.Path, scene: int, plane: Plane
) -> Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W 3"]:
    """Reads one plane."""
    with _opened(path) as file:
        image: Any = file.images[scene]
        at = {"T": plane.t, "Z": plane.z, "C": plane.channel}
        # Mapped, so that no other plane is loaded; "c" lets the package turn BGR to RGB.
        pixels = image.asarray(mode="c", out="memmap")
        chosen = tuple(at.get(axis, 0) if axis not in "YXS" else slice(None) for axis in image.dims)
        pixels = pixels[chosen]
        kept = [axis for axis in image.dims if axis in "YXS"]
        order = [kept.index(axis) for axis in "YXS" if axis in kept]
        return np.array(pixels.transpose(order), order="C", subok=False)


# Numbers count as they are stored in images and masks alike.
read_stored = read


@contextlib.contextmanager
def _opened(path):
    with extras.needed("a LIF file", "lif"):
        import liffile
    with liffile.LifFile(path) as file:
        yield file


def _scene(image):
    sizes = dict(zip(image.dims, image.shape, strict=True))
    others = [axis for axis, length in sizes.items() if axis not in "TZCYXS" and length > 1]
    if others:
        raise ImageError(f"image {image.name!r} has axes {', '.join(others)}, which are not read")
    axes = "".join(axis for axis in "TZC" if sizes.get(axis, 1) > 1) + "YX"
    axes += "S" if "S" in sizes else ""
    return Scene(
        name=image.name,
        axes=axes,
        shape=tuple(sizes[axis] for axis in axes),
        dtype=np.dtype(image.dtype),
        channel_names=_channel_names(image, sizes.get("C", 1)),
        pixel_size_um=_pixel_size_um(image),
    )


def _channel_names(image, count):
    """Names of the channels' colour tables, all that the file is sure to say about channels."""
    channels = image.xml_element.findall("./Data/Image/ImageDescription/Channels/*")
    in_order = sorted(channels, key=lambda channel: int(channel.get("BytesInc", 0)))
    names = tuple(channel.get("LUTName", "") for channel in in_order)
    return names if len(names) == count > 1 else ()


def _pixel_size_um(image):
    """Side of a pixel from the coordinates of the columns, which are in metres."""
    columns = np.asarray(image.coords.get("X", ()), np.float64)
    step = float(columns[1] - columns[0]) * 1e6 if columns.size > 1 else 0.0
    return step if step > 0 else None
