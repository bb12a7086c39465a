"""CZI files of Zeiss' ZEN, read with the package pylibCZIrw."""

import contextlib
import pathlib
from typing import Any

import numpy as np
from jaxtyping import Shaped

from spheroid_jax.images.image import ImageError, Plane, Scene
from spheroid_jax.runtime import extras

_HEAD = b"ZISRAWFILE"
_DTYPES = {
    "Gray8": np.uint8,
    "Gray16": np.uint16,
    "Gray32Float": np.float32,
    "Bgr24": np.uint8,
    "Bgr48": np.uint16,
}


def matches(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes is a CZI file."""
    return head.startswith(_HEAD)


def describe(path: pathlib.Path) -> tuple[Scene, ...]:
    """Describes the scenes of a file."""
    with _opened(path) as file:
        box = file.total_bounding_box
        counts = {axis: box[axis][1] - box[axis][0] for axis in "TZC" if axis in box}
        kinds = set(file.pixel_types.values())
        if len(kinds) != 1:
            raise ImageError(f"channels of several number types ({', '.join(sorted(kinds))})")
        (kind,) = kinds
        if kind not in _DTYPES:
            raise ImageError(f"numbers of the type {kind}, which are not read")
        colour = kind.startswith("Bgr")
        axes = "".join(axis for axis in "TZC" if counts.get(axis, 1) > 1) + "YX"
        lengths = tuple(counts[axis] for axis in axes[:-2])
        about = file.metadata.get("ImageDocument", {}).get("Metadata", {})
        return tuple(
            Scene(
                name=name,
                axes=axes + ("S" if colour else ""),
                shape=(*lengths, rectangle.h, rectangle.w, *((3,) if colour else ())),
                dtype=np.dtype(_DTYPES[kind]),
                channel_names=_channel_names(about),
                pixel_size_um=_pixel_size_um(about),
            )
            for name, rectangle in _scenes(file, about)
        )


def read(
    path: pathlib.Path, scene: int, plane: Plane
) -> Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W 3"]:
    """Reads one plane; colours are in the order red, green, blue."""
    with _opened(path) as file:
        box = file.total_bounding_box
        at = {"T": plane.t, "Z": plane.z, "C": plane.channel}
        chosen = {axis: box[axis][0] + value for axis, value in at.items() if axis in box}
        options: dict[str, Any] = {"plane": chosen}
        if file.scenes_bounding_rectangle:
            options["scene"] = sorted(file.scenes_bounding_rectangle)[scene]
        pixels = file.read(**options)
        return pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., 2::-1]


# Numbers count as they are stored in images and masks alike.
read_stored = read


@contextlib.contextmanager
def _opened(path):
    with extras.needed("a CZI file", "czi"):
        from pylibCZIrw import czi
    with czi.open_czi(str(path)) as file:
        yield file


def _scenes(file, about):
    """Yields name and rectangle of each scene."""
    rectangles = file.scenes_bounding_rectangle
    if not rectangles:
        yield "", file.total_bounding_rectangle
        return
    listed = _list(about, "Information", "Image", "Dimensions", "S", "Scenes", "Scene")
    names = {int(scene.get("@Index", n)): scene.get("@Name", "") for n, scene in enumerate(listed)}
    for number in sorted(rectangles):
        yield names.get(number, ""), rectangles[number]


def _channel_names(about):
    channels = _list(about, "Information", "Image", "Dimensions", "Channels", "Channel")
    return tuple(channel.get("@Name", "") for channel in channels)


def _pixel_size_um(about):
    """Side of a pixel from the scaling, which is in metres."""
    distances = _list(about, "Scaling", "Items", "Distance")
    sides = {each.get("@Id"): float(each.get("Value") or 0) * 1e6 for each in distances}
    x, y = sides.get("X", 0.0), sides.get("Y", 0.0)
    return x if x > 0 and abs(x - y) <= 0.01 * x else None


def _list(node, *names):
    """The elements below a path of names in the metadata, as a list; [] where a name is missing."""
    for name in names:
        node = node.get(name) if isinstance(node, dict) else None
    if node is None:
        return []
    return node if isinstance(node, list) else [node]
