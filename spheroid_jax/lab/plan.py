"""What a run reads: one item per scene and time of each file, chosen before any image is segmented.

Bright field is chosen by the channel's name where a file has several channels. A stack of depths
gives one picture: its sharpest plane, one plane by number, or a projection.
"""

import dataclasses
import fnmatch
import os
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped
from scipy import ndimage

from spheroid_jax import images
from spheroid_jax.errors import UserError
from spheroid_jax.images import find
from spheroid_jax.lab import names
from spheroid_jax.lab.names import Place
from spheroid_jax.runtime import own_files

# Names that microscopes' programs give to a transmitted-light channel.
_BRIGHT_FIELD = re.compile(
    # Words of their own, with or without a number: "BF", "BF_10x", "c1-TL2"; not "tlr4".
    r"(?<![a-z0-9])(bf|tl|tld|td|dic|ph|phc|pcm?|t-?pmt|esid)\d*(?![a-z0-9])|"
    # Parts of longer words: "Brightfield", "TransmittedLight", "Phase Contrast"; not "Transferrin".
    r"bright[\s_-]*field|trans(?![a-z])|transmi|trans[\s_-]*light|(?<![a-z])phase|oblique",
    re.I,
)
_FLUORESCENCE = re.compile(
    r"dapi|gfp|rfp|yfp|cfp|fitc|tritc|cy3|cy5|cherry|hoechst|texas|alexa|propidium|calcein|fluor",
    re.I,
)
_THUMBNAIL_NAME = re.compile(r"[_\- .]thumb", re.I)
# Folders of a run's output that hold pictures.
RESULT_FOLDERS = ("labels", "probability", "overlays")
PROJECTIONS = ("sharpest", "min", "max", "mean")


class PlanError(UserError, ValueError):
    """Inputs of which nothing is left to measure."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """How planes are chosen in files that hold several.

    Attributes:
      channel: name or number; None for the one whose name says bright field.
      scene: name or number; None for all scenes.
      time: number of the time from 0; None for all times.
      plane: number of the depth from 0, or one of `PROJECTIONS`.
      pixel_size_um: side of a pixel, which counts more than what files say; None for theirs.
      max_pixels: a picture of more pixels is refused.
    """

    channel: int | str | None = None
    scene: int | str | None = None
    time: int | None = None
    plane: int | str = "sharpest"
    pixel_size_um: float | None = None
    max_pixels: int = images.MAX_PIXELS


class Item(NamedTuple):
    """One picture of a file, and where it was taken.

    Attributes:
      found: the file, and the place of its outputs.
      scene: number of the scene.
      scene_name: its name; "" where the file has one scene.
      t: number of the time.
      channel: number of the channel.
      channel_name: its name; "" if not known.
      axes: axes of the scene along which the file holds several planes, of "C", "Z", "T", "Q".
      depths: number of depths, of which one picture is made.
      pixel_size_um: side of a pixel, or None.
      pixel_size_source: "option", "file" or "unknown".
      place: where and when the picture was taken.
      several: whether the file has other items, so that outputs need the item's own name.
      notes: what was chosen or left out, one sentence each.
      memory: bytes that the picture takes in work, estimated.
    """

    found: find.Found
    scene: int = 0
    scene_name: str = ""
    t: int = 0
    channel: int = 0
    channel_name: str = ""
    axes: str = ""
    depths: int = 1
    pixel_size_um: float | None = None
    pixel_size_source: str = "unknown"
    place: Place = Place()
    several: bool = False
    notes: tuple[str, ...] = ()
    memory: int = 0

    @property
    def name(self) -> str:
        """The place of the item's outputs, without a suffix: "day1/A01", "day1/plate_s2_t0"."""
        own = f"_s{self.scene}_t{self.t}" if self.several else ""
        return self.found.place.as_posix() + own


class Failed(NamedTuple):
    """A file that cannot be used, with the reason.

    Attributes:
      found: the file, and the place of its outputs.
      place: where and when it was taken.
      reason: why it cannot be used.
    """

    found: find.Found
    place: Place
    reason: str


class Planned(NamedTuple):
    """What a run reads.

    Attributes:
      items: pictures.
      failed: files of which no picture can be chosen.
      left_out: files that were left out, with the reason.
    """

    items: list[Item]
    failed: list[Failed]
    left_out: list[tuple[pathlib.Path, str]]


def make_plan(
    inputs: Iterable[str | os.PathLike],
    output: str | os.PathLike,
    choice: Choice,
    *,
    pattern: str | None = None,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    wells: bool = True,
) -> Planned:
    """Lists what a run reads, without reading pixels.

    Args:
      inputs: files, folders and globs, as for `find.find`.
      output: the folder that the run writes.
      choice: how planes are chosen.
      pattern: as for `names.compile_pattern`; None for the known layouts.
      include: patterns of names or paths, as in a shell; empty for all files.
      exclude: patterns of files to leave out.
      wells: whether wells, days and fields are read from names.

    Raises:
      find.FindError: an input gives no image, or two images have the same place.
      names.PlaceError: names have two wells each, or do not fit the pattern.
      PlanError: no file is left.
    """
    compiled = names.compile_pattern(pattern) if pattern else None
    named, found, left_out = find.find(inputs, output), [], []
    include, exclude = tuple(include), tuple(exclude)
    for each in named:
        reason = _left_out(each, include, exclude) or _thumbnail(each, named)
        if reason:
            left_out.append((each.path, reason))
        else:
            found.append(each)
    if not found:
        raise PlanError(_nothing_left(left_out))
    # Only now: of two files for one place, one may have been left out.
    find.check(found)
    items, failed = [], []
    for each in make(found, choice, compiled, wells=wells):
        (failed if isinstance(each, Failed) else items).append(each)
    return Planned(items, failed, left_out)


def make(
    found: Iterable[find.Found],
    choice: Choice,
    pattern: re.Pattern | None = None,
    *,
    wells: bool = True,
) -> Iterator[Item | Failed]:
    """Chooses the pictures of all files; reads no pixels.

    Args:
      found: the files.
      choice: how planes are chosen.
      pattern: how wells are read from names, as returned by `names.compile_pattern`.
      wells: as for `make_plan`.

    Yields:
      `Item`s, and a `Failed` per file that cannot be used.

    Raises:
      names.PlaceError: names have two wells each, or do not fit the pattern.
    """
    found = list(found)
    places = [Place()] * len(found)
    if wells:
        relative = [(each.place.parent / each.path.name).as_posix() for each in found]
        places = names.read_places(relative, pattern)
    for each, place in zip(found, places, strict=True):
        try:
            yield from _items(each, place, choice)
        except (images.ImageError, OSError) as error:
            yield Failed(each, place, reason_of(error, each.path))


def reason_of(error: Exception | None, path: pathlib.Path) -> str:
    """Returns the text of an error without the name of the file, which the tables have already."""
    if isinstance(error, OSError) and error.strerror:
        its_own = str(error.filename or path) == str(path)
        return error.strerror if its_own else f"{error.filename}: {error.strerror}"
    return str(error).removeprefix(f"{path}: ")


def read_picture(item: Item, choice: Choice) -> images.Image:
    """Reads the picture of an item; fills pixels without a number, and notes what is wrong.

    Notes about the file and about damage are doubts; the choice of a depth is a note alone.

    Raises:
      ImageError: the file cannot be used.
    """
    at: dict[str, int] = {"scene": item.scene, "max_pixels": choice.max_pixels}
    if "C" in item.axes or "Q" in item.axes:
        at["channel"] = item.channel
    if "T" in item.axes:
        at["t"] = item.t
    if item.depths == 1:
        return _repaired(images.read(item.found.path, **at))
    if isinstance(choice.plane, int):
        return _repaired(images.read(item.found.path, z=choice.plane, **at))
    planes = [_repaired(images.read(item.found.path, z=z, **at)) for z in range(item.depths)]
    pixels = [plane.pixels for plane in planes]
    if choice.plane == "sharpest":
        sharpest = int(np.argmax([sharpness(each) for each in pixels]))
        note = f"depth {sharpest} is the sharpest of {item.depths}"
        return dataclasses.replace(planes[sharpest], notes=(*planes[sharpest].notes, note))
    project = {"min": np.min, "max": np.max, "mean": np.mean}[choice.plane]
    stacked = project(np.stack(pixels), axis=0).astype(pixels[0].dtype)
    note = f"{choice.plane} projection of {item.depths} depths"
    doubts = tuple(dict.fromkeys(said for plane in planes for said in plane.doubts))
    notes = dict.fromkeys((*planes[0].notes, *doubts, note))
    return dataclasses.replace(planes[0], pixels=stacked, notes=tuple(notes), doubts=doubts)


def _repaired(picture):
    """Fills the pixels of a picture that have no number, and notes what is wrong."""
    pixels, doubts = images.repair(picture.pixels)
    notes = (*picture.notes, *doubts)
    return dataclasses.replace(picture, pixels=pixels, notes=notes, doubts=doubts)


def sharpness(pixels: Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"]) -> float:
    """Variance of the Laplacian over the variance of the gray levels: larger in focus."""
    gray = images.to_gray(pixels)
    steep = ndimage.laplace(ndimage.gaussian_filter(gray, 1.0))
    return float(steep.var() / max(float(gray.var()), 1e-12))


def _nothing_left(left_out):
    """Returns the message about inputs of which every file is left out."""
    path, reason = left_out[0]
    more = f", and {len(left_out) - 1} more files are" if len(left_out) > 1 else " is"
    return f"no images are left: {path}{more} left out ({reason})"


def _left_out(found, include, exclude):
    """Why a file is left out; "" where it is not."""
    path = (found.place.parent / found.path.name).as_posix()

    def fits(patterns):
        return any(
            fnmatch.fnmatch(path, p) or fnmatch.fnmatch(found.path.name, p) for p in patterns
        )

    if include and not fits(include):
        return "not in --include"
    if fits(exclude):
        return "--exclude"
    return "in the results of an earlier run" if _is_result(found.path) else ""


def _thumbnail(found, named):
    """Why a file is left out that is named like a thumbnail of another one beside it; else ""."""
    thumb = _THUMBNAIL_NAME.search(found.path.stem)
    if not thumb:
        return ""
    beginning = found.path.stem[: thumb.start()]
    is_beside = any(
        each.path.parent == found.path.parent
        and each.path.stem.startswith(beginning)
        and not _THUMBNAIL_NAME.search(each.path.stem)
        for each in named
    )
    return "named like a thumbnail" if is_beside else ""


def _is_result(path):
    """Whether a file is a picture that an earlier run has written into its own folders."""
    return any(
        folder.name in RESULT_FOLDERS and (folder.parent / own_files.FOLDER).is_dir()
        for folder in path.parents
    )


def _items(found, place, choice):
    scenes = images.describe(found.path)
    numbers = range(len(scenes))
    if choice.scene is not None:
        numbers = [images.choose_scene(scenes, choice.scene)]
    times = {number: _times(scenes[number], choice.time) for number in numbers}
    several = len(numbers) > 1 or any(len(each) > 1 for each in times.values())
    for number in numbers:
        scene = scenes[number]
        images.check_size(scene, choice.max_pixels)
        channel, notes = _channel(scene, choice.channel)
        depths = scene.length("Z")
        if isinstance(choice.plane, int) and choice.plane >= depths > 1:
            raise images.ImageError(f"no depth {choice.plane}: there are {depths}")
        size, source = choice.pixel_size_um, "option"
        if size is None:
            size, source = scene.pixel_size_um, "file" if scene.pixel_size_um else "unknown"
        for t in times[number]:
            yield Item(
                found=found,
                scene=number,
                scene_name=scene.name if len(scenes) > 1 else "",
                t=t,
                channel=channel,
                channel_name=scene.channel_names[channel] if scene.channel_names else "",
                axes="".join(axis for axis in scene.axes if axis not in "YXS"),
                depths=depths,
                pixel_size_um=size,
                pixel_size_source=source,
                place=_scene_place(place, scene.name),
                several=several,
                notes=(*scene.notes, *notes, *filter(None, [place.doubt])),
                memory=scene.memory(1 if isinstance(choice.plane, int) else depths),
            )


def _times(scene, chosen):
    """The numbers of the times to read."""
    count = scene.length("T")
    if chosen is None:
        return range(count)
    if chosen >= count:
        raise images.ImageError(f"no time {chosen}: there are {count}")
    return [chosen]


def _channel(scene, chosen):
    """The number of the channel to segment, and a note where it was chosen by its name."""
    count = scene.length("C")
    if count == 1 and chosen is None and _FLUORESCENCE.search("".join(scene.channel_names)):
        raise images.ImageError(
            f"its only channel is {scene.channel_names[0]!r}, which is no bright field; "
            "--channel 0 takes it all the same"
        )
    if scene.unnamed:
        # Pages that nobody has described can be chosen as channels.
        if chosen is None:
            pages = scene.length(scene.unnamed)
            raise images.ImageError(
                f"the file does not say what its {pages} pages are (axes {scene.axes}); choose one "
                f"with --channel, from 0 to {pages - 1}"
            )
        return images.choose_plane(scene, channel=chosen).channel, ()
    if count == 1 and not isinstance(chosen, str):
        return 0, ()
    if chosen is not None:
        return images.choose_plane(scene, channel=chosen, z=0, t=0).channel, ()
    bright = [n for n, name in enumerate(scene.channel_names) if _BRIGHT_FIELD.search(name)]
    if len(bright) == 1:
        return bright[0], (f"channel {scene.channel_names[bright[0]]!r} of {count}, by its name",)
    given = scene.channel_names or [""] * count
    listed = ", ".join(f"{n} {name!r}" if name else f"{n}" for n, name in enumerate(given))
    which = "several names say bright field" if bright else "no name says bright field"
    raise images.ImageError(f"{count} channels, {which}: {listed}; choose one with --channel")


def _scene_place(place, scene_name):
    """A scene that is named like a well is that well, where the file's name has none."""
    if place.well or not scene_name:
        return place
    try:
        named = names.read_places([scene_name])[0]
        return place._replace(well=named.well, field=place.field or named.field)
    except names.PlaceError:
        return place
