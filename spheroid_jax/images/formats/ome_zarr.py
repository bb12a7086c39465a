"""OME-Zarr folders (NGFF 0.1 to 0.5, Zarr formats 2 and 3), read with the package zarr.

A folder holds one image; or a plate, with one image per field of each well; or one well; or
numbered images, as bioformats2raw writes them. Each image is a scene, read at its largest level.
"""

import functools
import itertools
import math
import pathlib
import struct
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from spheroid_jax.images.formats import pixel_size
from spheroid_jax.images.image import ImageError, Plane, Scene
from spheroid_jax.runtime import extras

# Files that make a folder a group or an array of Zarr format 3 and 2.
_METADATA = ("zarr.json", ".zgroup", ".zarray")
# Where the metadata of images stand; a change of them makes a description out of date.
_ATTRIBUTES = ("zarr.json", ".zattrs")
# Versions without names of axes had all five in this order.
_OLDEST = ("0.1", "0.2")
_OLDEST_AXES = ("t", "c", "z", "y", "x")
_LETTERS = ("T", "C", "Z", "Y", "X")
_BY_TYPE = {"time": "T", "channel": "C"}


class _Level(NamedTuple):
    """The largest level of one image.

    Attributes:
      path: path of the array in the folder.
      axes: a letter for each axis of the array, as it is stored; "Q" for axes of other kinds.
      scene: the description of the image.
    """

    path: str
    axes: str
    scene: Scene


def is_store(folder: pathlib.Path) -> bool:
    """Returns whether a folder is a Zarr store, or a group or an array in one."""
    return any((folder / name).is_file() for name in _METADATA)


def describe(path: pathlib.Path) -> tuple[Scene, ...]:
    """Describes the scenes of a folder: one per image, "A01_f0" for a field of a plate."""
    return tuple(level.scene for level in _levels(path, _stamp(path)))


def read(path: pathlib.Path, scene: int, plane: Plane) -> Shaped[np.ndarray, "H W"]:
    """Reads one plane of the largest level; other planes are not loaded."""
    level = _levels(path, _stamp(path))[scene]
    at = {"T": plane.t, "Z": plane.z, "C": plane.channel}
    place = tuple(slice(None) if axis in "YX" else at.get(axis, 0) for axis in level.axes)
    array: Any = _opened(path)[level.path]
    _check_chunks(path / level.path, array, place)
    pixels = np.asarray(array[place])
    upright = pixels if level.axes.index("Y") < level.axes.index("X") else pixels.T
    return np.ascontiguousarray(upright, level.scene.dtype)


# Numbers count as they are stored in images and masks alike.
read_stored = read


def _opened(path):
    """Opens the group of a folder for reading."""
    with extras.needed("an OME-Zarr folder", "zarr"):
        import zarr
        from zarr.errors import ContainsArrayError, GroupNotFoundError
    try:
        # Not the copies of all metadata in one file, which may be out of date.
        return zarr.open_group(path, mode="r", use_consolidated=False)
    except (ContainsArrayError, GroupNotFoundError):
        raise ImageError("an array of a Zarr store; name the folder of its image") from None


def _check_chunks(folder, array, place):
    """Checks the lengths of Blosc's chunks, which the library decompresses even if they are cut."""
    codecs = " ".join(type(codec).__name__ for codec in array.compressors)
    if "Blosc" not in codecs or array.shards is not None:
        return
    ranges = [
        range(-(-length // chunk)) if isinstance(at, slice) else (at // chunk,)
        for at, length, chunk in zip(place, array.shape, array.chunks, strict=True)
    ]
    for chunk in itertools.product(*ranges):
        file = folder / array.metadata.encode_chunk_key(chunk)
        if not file.is_file():
            continue  # Stands for zeros, or for another constant.
        with file.open("rb") as opened:
            head = opened.read(16)
        length = file.stat().st_size
        if len(head) < 16 or length < struct.unpack("<I", head[12:])[0]:
            raise ImageError(f"half-written: {file.relative_to(folder)} ends after {length} bytes")


def _stamp(path):
    """Sizes and times of the files of metadata, which change when these are written anew."""
    files = [path / name for name in _ATTRIBUTES if (path / name).is_file()]
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files)


@functools.lru_cache(maxsize=8)
def _levels(path, stamp):
    """Finds the images of a folder, once per stamp: a plate has thousands of small files."""
    root = _opened(path)
    places = _places(root)
    there = [(place, name) for place, name in places if not place or place in root]
    missing = [place for place, _ in places if place and place not in root]
    notes = (f"{len(missing)} listed images are missing, {missing[0]} first",) if missing else ()
    found = [
        level._replace(scene=level.scene._replace(notes=(*level.scene.notes, *notes)))
        for place, name in there
        for level in _levels_of(root, place, name)
    ]
    if not found:
        raise ImageError("a Zarr store without an image")
    return tuple(found)


def _places(root):
    """Path and name of each image's group; "" for a name that the image itself has."""
    about = _attributes(root)
    if "multiscales" in about:
        return [("", "")]
    if "plate" in about:
        wells = [well["path"] for well in about["plate"]["wells"]]
        return [
            (f"{well}/{field}".rstrip("/"), f"{_well_name(well)}_f{field}")
            for well in wells
            for field in (_fields(root[well]) if well in root else [""])
        ]
    if "well" in about:
        return [(field, f"f{field}") for field in _fields(root)]
    if "bioformats2raw.layout" in about:
        return [(number, "") for number in _series(root)]
    raise ImageError(
        "a Zarr store that does not describe an image (no multiscales, plate or well of "
        "OME-Zarr); name the folder of an image in it"
    )


def _attributes(group):
    """Attributes of a group; from version 0.5 on, those of OME have a place of their own."""
    attributes = group.attrs.asdict()
    return attributes.get("ome", attributes)


def _well_name(path):
    """The well "A01" of the path "A/1"."""
    row, _, column = path.partition("/")
    return f"{row}{column.zfill(2)}"


def _fields(well):
    return [image["path"] for image in _attributes(well).get("well", {}).get("images", [])]


def _series(root):
    """Numbers of the images, as listed beside the XML of OME, else all that are there."""
    listed = _attributes(root["OME"]).get("series") if "OME" in root else None
    return listed or sorted((key for key in root.group_keys() if key.isdigit()), key=int)


def _levels_of(root, place, name):
    """Yields the largest level of each image of a group; mostly there is one image."""
    group = root[place] if place else root
    about = _attributes(group)
    channels = about.get("omero", {}).get("channels", [])
    labels = tuple(str(channel.get("label", "")) for channel in channels)
    for image in about.get("multiscales", []):
        absent = [level["path"] for level in image["datasets"] if level["path"] not in group]
        if absent:
            raise ImageError(f"damaged: {f'{place}/{absent[0]}'.lstrip('/')} is missing")
        arrays = [(group[level["path"]], level) for level in image["datasets"]]
        array, level = max(arrays, key=lambda pair: math.prod(pair[0].shape))
        axes, letters = _axes(image, array.ndim)
        size, notes = _pixel_size_um(axes, letters, image, level)
        scene = _scene(array, letters, name or image.get("name", ""), labels)
        scene = scene._replace(pixel_size_um=size, notes=notes)
        yield _Level(f"{place}/{level['path']}".lstrip("/"), letters, scene)


def _scene(array, letters, name, labels):
    lengths = dict(zip(letters, array.shape, strict=True))
    if lengths.get("Q", 1) > 1:
        raise ImageError(f"an axis of {lengths['Q']} that is no time, channel or depth")
    kept = "".join(axis for axis in "TZC" if lengths.get(axis, 1) > 1) + "YX"
    return Scene(
        name=name,
        axes=kept,
        shape=tuple(lengths[axis] for axis in kept),
        dtype=np.dtype(array.dtype).newbyteorder("="),
        channel_names=labels if len(labels) == lengths.get("C", 1) else (),
        decoded=math.prod(array.chunks),
    )


def _axes(image, count):
    """Name, type and unit of each axis of an image, and the letter of each."""
    version = str(image.get("version", "unknown"))
    axes = image.get("axes", _OLDEST_AXES if version in _OLDEST else ())
    if len(axes) != count:
        raise ImageError(f"OME-Zarr of version {version} that does not name its {count} axes")
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in axes]
    letters = "".join(_letter(axis) for axis in axes)
    if len(set(letters)) < count or not {"Y", "X"} <= set(letters):
        names = ", ".join(repr(axis["name"]) for axis in axes)
        raise ImageError(f"axes {names}, which are not read")
    return axes, letters


def _letter(axis):
    letter = axis["name"].upper()
    return letter if letter in _LETTERS else _BY_TYPE.get(axis.get("type", ""), "Q")


def _pixel_size_um(axes, letters, image, level):
    """Side of a pixel, or None where the sides have no unit; and a note about sides without one."""
    scales = [scale for node in (level, image) if (scale := _scale(node, len(axes)))]
    places = [letters.index(axis) for axis in "XY"]
    if not scales:
        return None, ()
    sides = [math.prod(float(scale[place]) for scale in scales) for place in places]
    units = [axes[place].get("unit") for place in places]
    if all(units):
        lengths = map(pixel_size.from_length, sides, units)
        return pixel_size.from_sides(*lengths), ()
    # Writers fill in 1 where they do not know.
    known = any(side != 1 for side in sides)
    return None, (f"a pixel size of {sides[0]:g} without a unit was ignored",) * known


def _scale(node, count):
    """The scale among the coordinate transformations of an image or a level, or None."""
    for transformation in node.get("coordinateTransformations", []):
        if len(transformation.get("scale", [])) == count:
            return transformation["scale"]
    return None
