"""Search for image files in folders and globs, and paths of their outputs."""

import collections
import errno
import glob
import os
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from spheroid_jax import images
from spheroid_jax.errors import UserError
from spheroid_jax.images.formats import ome_zarr


class FindError(UserError, ValueError):
    """Arguments that name no images, or images whose outputs would have the same path."""


class Found(NamedTuple):
    """One image file, or one OME-Zarr folder, which is one image.

    Attributes:
      path: the file or the folder.
      place: path of the image's outputs within an output folder, without a suffix: `day1/A01`.
    """

    path: pathlib.Path
    place: pathlib.PurePath

    def output(self, folder: str | os.PathLike, suffix: str) -> pathlib.Path:
        """Returns the path of this image's output in `folder`: `masks/day1/A01.png`."""
        return pathlib.Path(folder) / self.place.with_name(self.place.name + suffix)


class _Expanded(NamedTuple):
    """The images that an argument names, and the folder to which their places are relative."""

    paths: list[pathlib.Path]
    base: pathlib.Path


def find(arguments: Iterable[str | os.PathLike], output: str | os.PathLike) -> list[Found]:
    """Finds the images that a user has named.

    An argument is a file, a folder or a glob. A file is taken whatever its suffix, even if the file
    does not exist; reading the file then fails with a message. A folder stands for the images in
    the folder and its subfolders. A glob, such as `"day*/**/*.tif"`, stands for the images and
    folders that match. Folders and globs give files with a suffix in `images.SUFFIXES`, except for
    names that begin with a dot and for the output folder. The search in folders follows links to
    folders, `**` does not, and no folder is searched twice. An OME-Zarr folder counts as a file.

    The places of outputs mirror the input folders below the deepest folder that contains all
    arguments. For a file, its folder counts; for a glob, its part without wildcards counts.

    Args:
      arguments: paths of files, paths of folders, and globs.
      output: path of the output folder.

    Returns:
      The images in the order of the arguments, without repetitions; sorted by name within a folder,
      A2 before A10.

    Raises:
      FindError: an argument gives no image.
      OSError: a folder cannot be searched.
    """
    expanded = [_expand(os.fspath(argument), output) for argument in arguments]
    base = _deepest_common(item.base for item in expanded)
    paths = {
        (path.parent.resolve(), path.name): path
        for item in reversed(expanded)
        for path in reversed(item.paths)
    }
    return [
        Found(path, pathlib.PurePath(os.path.relpath(path, base)).with_suffix(""))
        for path in reversed(paths.values())
    ]


def readable(name: str | os.PathLike) -> str:
    """Returns a file's name as text that can be written anywhere.

    Bytes of a name that are not UTF-8, which Linux allows, are shown as their hexadecimal numbers.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_image(path: pathlib.Path) -> bool:
    """Returns whether a path is an OME-Zarr folder or has the name of an image file."""
    if path.name.startswith("."):
        return False
    if path.is_dir():
        return ome_zarr.is_store(path)
    return path.suffix.lower() in images.SUFFIXES


def _expand(argument, output):
    """Finds the images that one argument stands for."""
    path = pathlib.Path(argument)
    if path.is_dir() and not ome_zarr.is_store(path):
        if path.resolve() == pathlib.Path(output).resolve():
            raise FindError(f"{path}: results are written into this folder; choose another")
        found = _Expanded(list(_walk(path, output)), path)
        missing = "no images in this folder"
    elif glob.has_magic(argument) and not os.path.lexists(path):
        found = _matches(path, output)
        missing = "no images match"
    else:
        return _Expanded([path], path.parent)
    if not found.paths:
        raise FindError(f"{argument}: {missing} ({' '.join(images.SUFFIXES)})")
    return found


def _matches(pattern, output):
    """Finds the images that a glob stands for."""
    parts = pattern.parts
    fixed = next(n for n, part in enumerate(parts) if glob.has_magic(part))
    base = pathlib.Path(*parts[:fixed])
    try:
        matches = sorted(base.glob(os.path.join(*parts[fixed:])), key=_natural)
    except ValueError as error:
        raise FindError(f"{pattern}: {error}") from None
    output, paths = pathlib.Path(output).resolve(), []
    for path in matches:
        inside = path.relative_to(base)
        if any(part.startswith(".") for part in inside.parts) or _is_within(path, output):
            continue
        if any(ome_zarr.is_store(base / folder) for folder in list(inside.parents)[:-1]):
            continue
        if is_image(path):
            paths.append(path)
        elif path.is_dir():
            paths += _walk(path, output)
    return _Expanded(paths, base)


def _walk(folder, output) -> Iterator[pathlib.Path]:
    """Yields the images in a folder and its subfolders; links to folders are followed last."""
    seen = {pathlib.Path(output).resolve()}
    waiting, linked = [folder], []
    while waiting or linked:
        here = waiting.pop() if waiting else linked.pop()
        if (real := here.resolve()) in seen:
            continue
        seen.add(real)
        entries = sorted(
            (path for path in here.iterdir() if not path.name.startswith(".")), key=_natural
        )
        found = [path for path in entries if is_image(path)]
        yield from found
        for path in reversed([path for path in entries if path.is_dir() and path not in found]):
            (linked if path.is_symlink() else waiting).append(path)


def _natural(path):
    """Sorting key by which numbers in names count as numbers: A2 comes before A10."""
    parts = re.split(r"(\d+)", str(path))
    # Texts and numbers alternate, so like is compared with like; equal keys go by the name.
    return [int(part) if n % 2 else part for n, part in enumerate(parts)], str(path)


def _is_within(path, folder):
    """Returns whether a file lies in a folder or its subfolders; `folder` must be resolved."""
    return path.resolve().is_relative_to(folder)


def _deepest_common(folders):
    """Returns the deepest folder that holds all of `folders`, as an absolute path."""
    try:
        return os.path.commonpath([os.path.abspath(folder) for folder in folders])
    except ValueError:
        raise FindError("the images lie on different drives; name those of one drive") from None


def check(found: Iterable[Found]):
    """Checks that any of the images is there, and that no two have the same place.

    Raises:
      FindError: two images have the same place.
      FileNotFoundError: none of the images is there.
    """
    found = list(found)
    if found and not any(os.path.lexists(image.path) for image in found):
        raise FileNotFoundError(
            errno.ENOENT, os.strerror(errno.ENOENT), ", ".join(str(image.path) for image in found)
        )
    places = collections.defaultdict(list)
    for image in found:
        places[image.place].append(str(image.path))
    for paths in places.values():
        if len(paths) > 1:
            raise FindError(
                f"{len(paths)} of the images would be written to one file: {', '.join(paths)}; "
                "rename all but one, or name only one of them"
            )
