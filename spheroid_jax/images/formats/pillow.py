"""PNG, JPEG, BMP and GIF files, read with Pillow."""

import pathlib

import numpy as np
from jaxtyping import Shaped
from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin

from spheroid_jax.images.formats import orientation
from spheroid_jax.images.image import Plane, Scene

# First bytes, and the class that reads such a file. JPEG files of phones (MPO) hold a preview after
# their picture; Pillow's class for JPEG reads the picture alone.
_READERS = {
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
    b"GIF8": GifImagePlugin.GifImageFile,
}
# Number types of Pillow's modes; all others have 8 bits.
_DTYPES = {"1": np.bool_, "I": np.int32, "F": np.float32}


def matches(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes is PNG, JPEG, BMP or GIF."""
    return head.startswith(tuple(_READERS))


def describe(path: pathlib.Path) -> tuple[Scene, ...]:
    """Describes a file, which has one scene; the frames of an animation are times."""
    with _opened(path) as file:
        frames = getattr(file, "n_frames", 1)
        gray = _is_gray(file.mode)
        axes, shape = ("YX", ()) if gray else ("YXS", (3,))
        size = (file.height, file.width)
        shape = (*(size[::-1] if orientation.swaps_sides(_orientation(file)) else size), *shape)
        if frames > 1:
            axes, shape = "T" + axes, (frames, *shape)
        dtype = np.uint16 if file.mode.startswith("I;16") else _DTYPES.get(file.mode, np.uint8)
        return (Scene("", axes, shape, np.dtype(dtype)),)


def read(
    path: pathlib.Path, scene: int, plane: Plane
) -> Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W 3"]:
    """Reads one frame upright, with the colours of its palette and without an alpha channel."""
    with _opened(path) as file:
        if plane.t:
            file.seek(plane.t)
        return np.ascontiguousarray(orientation.turned(to_array(file), _orientation(file)))


# A palette is looked up in masks too: its order is the writer's accident.
read_stored = read


def to_array(picture):
    """Converts a Pillow image to an array without palette and alpha.

    Args:
      picture: `PIL.Image.Image`.

    Returns:
      (H, W) or (H, W, 3).
    """
    if picture.mode == "P":
        # By way of RGBA: Pillow warns where the palette has an alpha.
        picture = picture.convert("RGBA").convert("RGB")
    elif picture.mode in ("LA", "PA"):
        picture = picture.convert("L")
    elif not _is_gray(picture.mode) and picture.mode != "RGB":
        picture = picture.convert("RGB")
    return np.asarray(picture)


def _orientation(file):
    """Returns the EXIF orientation, which cameras write instead of turning the pixels."""
    exif = Image.Exif()
    # Not `getexif`, which decodes a whole PNG in search of the tag.
    exif.load(file.info.get("exif"))
    return exif.get(orientation.TAG, 1)


def _is_gray(mode):
    return mode in ("1", "L", "I", "F", "LA", "PA") or mode.startswith("I;16")


def _opened(path):
    with path.open("rb") as file:
        head = file.read(8)
    reader = next(_READERS[start] for start in _READERS if head.startswith(start))
    return reader(path)
