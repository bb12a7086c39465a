"""ND2 files of Nikon's NIS-Elements, read with the package nd2."""

import contextlib
import pathlib

import numpy as np
from jaxtyping import Shaped

from spheroid_jax.images.image import ImageError, Plane, Scene
from spheroid_jax.runtime import extras

_HEAD = b"\xda\xce\xbe\x0a"


def matches(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes is an ND2 file."""
    return head.startswith(_HEAD)


def describe(path: pathlib.Path) -> tuple[Scene, ...]:
    """Describes the scenes of a file: one per position of the stage."""
    with _opened(path) as file:
        sizes = dict(file.sizes)
        others = set(sizes) - set("TPZCYXS")
        if others:
            raise ImageError(f"axes {', '.join(sorted(others))}, which are not read")
        axes = "".join(axis for axis in "TZC" if sizes.get(axis, 1) > 1) + "YX"
        axes += "S" if "S" in sizes else ""
        channels = file.metadata.channels or []
        size = file.voxel_size()
        scene = Scene(
            name="",
            axes=axes,
            shape=tuple(sizes[axis] for axis in axes),
            dtype=np.dtype(file.dtype),
            channel_names=tuple(channel.channel.name for channel in channels),
            # The library gives 1.0 where the file is not calibrated.
            pixel_size_um=size.x if _is_calibrated(file) and size.x > 0 else None,
        )
        return (scene,) * sizes.get("P", 1)


def read(
    path: pathlib.Path, scene: int, plane: Plane
) -> Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W 3"]:
    """Reads one plane."""
    wanted = {"T": plane.t, "Z": plane.z, "P": scene}
    with _opened(path) as file:
        places = file.loop_indices or ({},)
        frames = [
            number
            for number, place in enumerate(places)
            if all(place.get(axis, 0) == value for axis, value in wanted.items())
        ]
        if not frames:
            raise ImageError(f"damaged: no frame of time {plane.t}, depth {plane.z}")
        frame = np.array(file.read_frame(frames[0]))
        if "S" in file.sizes:
            return frame.reshape(*frame.shape[-3:])[..., :3]
        return frame[plane.channel] if frame.ndim == 3 else frame


# Numbers count as they are stored in images and masks alike.
read_stored = read


@contextlib.contextmanager
def _opened(path):
    with extras.needed("an ND2 file", "nd2"):
        import nd2
    with nd2.ND2File(path) as file:
        yield file


def _is_calibrated(file):
    channels = file.metadata.channels or []
    return any(any(channel.volume.axesCalibrated[:2]) for channel in channels)
