"""TIFF files, read with tifffile: plain TIFF, BigTIFF, OME-TIFF, and stacks of ImageJ."""

import contextlib
import math
import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tifffile
from jaxtyping import Shaped

from spheroid_jax.images.formats import ome, pixel_size, tiff_pages
from spheroid_jax.images.image import ImageError, Plane, Scene

_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Values of the ResolutionUnit tag.
_UNITS = {2: "inch", 3: "cm"}
# Of how many pixels of the largest page a page must have at least one to be a picture of its own: a
# label, an overview or a preview is smaller.
_PREVIEW = 16
# The letter of pages of which the file does not say what they are.
_UNNAMED = "Q"
# Formats whose descriptions name other files, which tifffile would open.
_ALONE: dict[str, Any] = {"is_ome": False, "is_mmstack": False, "is_ndtiff": False}


class _Stack(NamedTuple):
    """A scene, and the places of its pages.

    Attributes:
      scene: the description.
      pages: number of pages.
      page: function from the number of a page, from 0, to the page.
      offset: place of the pixels of the first page, if only the first page has tags and the pixels
        of all pages follow each other, as in large stacks of ImageJ; else None.
    """

    scene: Scene
    pages: int
    page: Callable
    offset: int | None = None


def matches(head: bytes) -> bool:
    """Returns whether a file that begins with these bytes is a TIFF or BigTIFF file."""
    return head.startswith(_HEADS)


def describe(path: pathlib.Path) -> tuple[Scene, ...]:
    """Describes the scenes of a file; smaller copies of a page do not count as scenes."""
    with _stacks(path) as stacks:
        return tuple(stack.scene for stack in stacks)


def read(
    path: pathlib.Path, scene: int, plane: Plane
) -> Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W 3"]:
    """Reads one plane of a scene for display: upright, in colours, with zero as black."""
    return _read(path, scene, plane, stored=False)


def read_stored(
    path: pathlib.Path, scene: int, plane: Plane
) -> Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W 3"]:
    """Reads one plane of a mask or label image, with the numbers as they are stored.

    Palettes are ignored, because they are for display. A tag that declares zero as white is ignored
    too, because ImageJ writes such masks with 255 for the object.
    """
    return _read(path, scene, plane, stored=True)


def _read(path, scene, plane, stored):
    with _stacks(path) as stacks:
        stack = stacks[scene]
        number, channel = _page_and_channel(stack, plane)
        if stack.offset is None:
            return tiff_pages.to_array(path, stack.page(number), channel=channel, stored=stored)
        return tiff_pages.from_offset(stack.page(0), stack.offset, number, stored=stored)


def _page_and_channel(stack, plane):
    """Returns the number of a plane's page, and its channel among the samples of the page."""
    scene = stack.scene
    given = {"C": plane.channel, "Z": plane.z, "T": plane.t}
    # One of the three, that the scene has no axis for, may count pages that have no name.
    given[_UNNAMED] = sum(number for axis, number in given.items() if axis not in scene.axes)
    channel, leading = 0, scene.axes[: scene.axes.index("Y")]
    if leading.endswith("C") and math.prod(scene.shape[: len(leading)]) > stack.pages:
        channel, leading = plane.channel, leading[:-1]
    number = 0
    for axis in leading:
        number = number * scene.length(axis) + given[axis]
    return number, channel


@contextlib.contextmanager
def _stacks(path):
    """Opens a file and yields the `_Stack`s of its scenes."""
    with tifffile.TiffFile(path, **_ALONE) as file:
        stacks = _ome_stacks(file, path.name) or _series_stacks(file)
        if not stacks:
            raise ImageError("damaged: there is no image in it")
        yield stacks


def _ome_stacks(file, filename):
    description = file.pages.first.description if len(file.pages) else ""
    if not description.rstrip().endswith("OME>"):
        return []
    return [
        _ome_stack(file, picture)
        for picture in ome.pictures(description, pages=len(file.pages), filename=filename)
    ]


def _ome_stack(file, picture):
    def page(number):
        return file.pages[picture.pages[number]]

    keyframe = page(0).keyframe
    scene = _scene(
        keyframe,
        "TZC",
        picture.lengths,
        name=picture.name,
        channel_names=picture.channel_names,
        pixel_size_um=picture.pixel_size_um or _tagged_size_um(keyframe),
    )
    return _Stack(scene, len(picture.pages), page)


def _series_stacks(file):
    found = list(_with_untagged_copies(file.series))
    own = [series for series in found if not tiff_pages.is_copy(series.keyframe)] or found
    shapes = [tiff_pages.shape(series.keyframe) for series in own]
    largest = max(shapes, key=math.prod, default=(0, 0))
    reasons = [_left_out(shape, largest) for shape in shapes]
    pictures = [series for series, reason in zip(own, reasons, strict=True) if not reason]
    notes = tuple(
        f"left out a page of {width} x {height} px, {reason}"
        for (height, width), reason in zip(shapes, reasons, strict=True)
        if reason
    )
    return [_series_stack(file, series, notes) for series in pictures]


def _left_out(shape, largest):
    """Why a page is no picture of its own beside the largest page of a file; "" if it is one."""
    if math.prod(shape) * _PREVIEW <= math.prod(largest):
        return "a label or a preview by its size"
    for factor in (2, 4):
        halved = zip(shape, largest, strict=True)
        if all(side in (whole // factor, -(-whole // factor)) for side, whole in halved):
            return f"a smaller copy by its sides, 1/{factor} of the largest page's"
    return ""


def _with_untagged_copies(all_series):
    """Yields all series; pages without a copy tag count, even if tifffile takes them for copies."""
    for series in all_series:
        yield series
        for level in series.levels[1:]:
            keyframe = level.keyframe
            if series.kind == "generic" and not keyframe.is_subifd and not keyframe.is_reduced:
                yield level


def _series_stack(file, series, notes):
    keyframe = series.keyframe
    axes, lengths = _leading(series)
    imagej = (file.imagej_metadata or {}) if file.is_imagej else {}
    count = math.prod(lengths)
    scene = _scene(
        keyframe,
        axes,
        lengths,
        name=series.name,
        channel_names=_imagej_names(imagej, axes),
        pixel_size_um=_imagej_size_um(keyframe, imagej) if imagej else _tagged_size_um(keyframe),
        notes=notes,
    )
    if len(series.pages) == count:
        return _Stack(scene, count, series.pages.__getitem__)
    if series.dataoffset is None:
        raise ImageError(f"damaged: {len(series.pages)} of {count} pages")
    return _Stack(scene, count, series.pages.__getitem__, series.dataoffset)


def _leading(series):
    """Returns letters and lengths of the axes of a series along which its pages are stacked."""
    shape, size = series.shape, math.prod(series.keyframe.shape)
    pages = math.prod(shape) // max(size, 1)
    named = [
        (axis, length)
        for n, (axis, length) in enumerate(zip(series.axes, shape, strict=True))
        if math.prod(shape[n:]) > size and length > 1
    ]
    axes = "".join(axis if axis in "CZT" else _UNNAMED for axis, _ in named)
    lengths = [length for _, length in named]
    while _UNNAMED * 2 in axes:
        n = axes.index(_UNNAMED * 2)
        axes = axes[:n] + axes[n + 1 :]
        lengths[n : n + 2] = [lengths[n] * lengths[n + 1]]
    if len(set(axes)) < len(axes) or math.prod(lengths) != pages:
        return _UNNAMED, (pages,)
    return axes, tuple(lengths)


def _scene(keyframe, axes, lengths, *, name, channel_names, pixel_size_um, notes=()):
    """Describes the scene of pages stacked along `axes`; axes of length one are left out."""
    samples = tiff_pages.channels(keyframe)
    pairs = [(axis, n) for axis, n in zip(axes, lengths, strict=True) if n > 1]
    if samples > 1:
        if "C" in [axis for axis, _ in pairs]:
            raise ImageError("channels as pages and as samples at once, which is not read")
        pairs.append(("C", samples))
        channel_names = channel_names if len(channel_names) == samples else ()
    colour = tiff_pages.is_colour(keyframe)
    return Scene(
        name=name,
        axes="".join(axis for axis, _ in pairs) + ("YXS" if colour else "YX"),
        shape=(*(n for _, n in pairs), *tiff_pages.shape(keyframe), *((3,) if colour else ())),
        dtype=tiff_pages.dtype(keyframe),
        channel_names=tuple(channel_names),
        pixel_size_um=pixel_size_um,
        notes=notes,
        decoded=tiff_pages.decoded(keyframe),
    )


def _imagej_names(imagej, axes):
    """Returns the names of the channels: the labels of slices, if every slice is a channel."""
    labels = imagej.get("Labels") or []
    return tuple(labels) if axes == "C" and len(labels) == imagej.get("channels") else ()


def _imagej_size_um(keyframe, imagej):
    unit = str(imagej.get("unit", "")).replace("\\u00B5", "\u00b5")
    sides = (pixel_size.from_resolution(each, unit) for each in _resolution(keyframe))
    return pixel_size.from_sides(*sides)


def _tagged_size_um(keyframe):
    tag = keyframe.tags.get("ResolutionUnit")
    unit = _UNITS.get(int(tag.value) if tag is not None else 2, "")
    sides = (pixel_size.from_resolution(each, unit) for each in _resolution(keyframe))
    return pixel_size.from_sides(*sides)


def _resolution(keyframe):
    """Returns pixels per unit along X and Y; 0 if a tag is missing."""
    for name in ("XResolution", "YResolution"):
        tag = keyframe.tags.get(name)
        numerator, denominator = tag.value if tag is not None else (0, 1)
        yield numerator / denominator if denominator else 0.0
