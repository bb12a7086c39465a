"""Reading of image files, masks and label images; the first bytes of a file tell its format."""

import os
import pathlib
import stat

import numpy as np
from jaxtyping import Bool, Float32, Int64, Shaped

from spheroid_jax.images import choice
from spheroid_jax.images.formats import bioio, czi, lif, nd2, ome_zarr, pillow, tiff
from spheroid_jax.images.image import Image, ImageError, Scene
from spheroid_jax.images.intensity import normalise, to_gray

# Suffixes by which folders are searched for images; a file is read whatever its suffix. An image
# with the suffix ".zarr" is a folder.
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff"),
    *(".nd2", ".czi", ".lif", ".zarr"),
)
# LIF comes last, because its first bytes say least.
_FORMATS = (tiff, pillow, nd2, czi, lif)
# Bytes by which a format is known.
_HEAD = 16
# A larger picture is refused before memory is taken: a few bytes of a file can promise any size.
MAX_PIXELS = 400_000_000
# Numbers that may be decoded per pixel of the limit, as for red, green, blue and alpha.
_SAMPLES = 4
# The first bytes of files "._NAME" that macOS leaves beside NAME on foreign disks.
_APPLE_DOUBLE = b"\x00\x05\x16\x07"

Source = str | os.PathLike


def read(
    path: Source,
    *,
    channel: int | str | None = None,
    scene: int | str | None = None,
    z: int | None = None,
    t: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Image:
    """Reads one plane of an image file, with its names and pixel size.

    PNG, JPEG, BMP, GIF and TIFF are read, and with optional packages ND2, CZI, LIF and OME-Zarr.

    The first bytes of the file, not its suffix, tell the format. Only samples, as the file names
    them, are colours; channels never are. An alpha channel is dropped.

    Args:
      path: the file.
      channel: number of the channel from 0, or its name; required if the scene has several.
      scene: number of the scene from 0, or its name; required if the file has several scenes.
      z: number of the depth from 0; required if the scene has several depths.
      t: number of the time from 0; required if the scene has several times.
      max_pixels: a plane of more pixels is refused before memory is taken.

    Raises:
      FileNotFoundError: there is no such file.
      ImageError: the file is not an image or is damaged, or has several planes and no choice is
        given; the message then lists the planes. Or the plane is too large.
    """
    path = _path(path)
    choices = {"channel": channel, "scene": scene, "z": z, "t": t}
    return _guarded(path, lambda: _read(path, choices, max_pixels=max_pixels))


def describe(path: Source) -> tuple[Scene, ...]:
    """Describes the scenes of a file without reading pixels.

    Args:
      path: the file.

    Raises:
      FileNotFoundError: no such file.
      ImageError: not an image, or damaged.
    """
    path = _path(path)
    return _guarded(path, lambda: _format_of(path).describe(path))


def read_image(path: Source) -> Shaped[np.ndarray, "H W"] | Shaped[np.ndarray, "H W C"]:
    """Reads the pixels of a file that has only one plane.

    Args:
      path: the file: gray, colour or palette, with 1, 8, 16 or 32 bit or with float pixels. An
        alpha channel is dropped.

    Returns:
      (H, W), or (H, W, 3) for colour, in the file's own number type (but 8 bit for 16-bit colour
      PNG).

    Raises:
      FileNotFoundError: no such file.
      ImageError: not an image, damaged, or not of one plane.
    """
    return read(path).pixels


def read_gray(path: Source) -> Float32[np.ndarray, "H W"]:
    """Reads a file that has only one plane, as normalised gray in [0, 1].

    Raises:
      FileNotFoundError: no such file.
      ImageError: the image cannot be used; the message names the file.
    """
    image = read_image(path)
    try:
        return normalise(to_gray(image))
    except ImageError as error:
        raise ImageError(f"{_path(path)}: {error}") from error


def read_mask(path: Source) -> Bool[np.ndarray, "H W"]:
    """Reads a mask, an image of two values, of which 0 is background.

    Args:
      path: a file that `read_image` reads; colour channels must agree.

    Raises:
      FileNotFoundError: no such file.
      ImageError: not a readable image, or not two-valued.
    """
    mask = _read_one_channel(path)
    values = np.unique(mask)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0) or np.isnan(values).any():
        few = ", ".join(f"{value:g}" for value in values[:4])
        raise ImageError(
            f"{_path(path)}: not a mask of two values, 0 and another: it has "
            f"{len(values)} ({few}{', ...' if len(values) > 4 else ''})"
        )
    return mask != 0


def read_labels(path: Source) -> Int64[np.ndarray, "H W"]:
    """Reads a label image: 0 for background, and one number per object. A mask has one object.

    Args:
      path: a file that `read_image` reads; colour channels must agree.

    Raises:
      FileNotFoundError: no such file.
      ImageError: not a readable image, or not of whole numbers from 0.
    """
    labels = _read_one_channel(path)
    with np.errstate(invalid="ignore"):  # NaN is found below.
        numbers = labels.astype(np.int64)
    if (numbers != labels).any() or numbers.min() < 0:
        raise ImageError(
            f"{_path(path)}: not a label image: its values are not whole numbers from 0"
        )
    return numbers


def _read_one_channel(path):
    path = _path(path)
    pixels = _guarded(path, lambda: _read(path, {}, stored=True)).pixels
    if pixels.ndim == 2:
        return pixels
    if (pixels != pixels[..., :1]).any():
        raise ImageError(f"{_path(path)}: a coloured picture, not a mask")
    return pixels[..., 0]


def _path(path):
    return pathlib.Path(os.fsdecode(path))


def _guarded(path, function):
    """Calls a function; an exception of a decoder becomes an `ImageError` with the file's name."""
    try:
        return function()
    except FileNotFoundError:
        raise
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error
    except OSError as error:
        # Without the number of the error and the file's name, which the message begins with.
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from error
    # Decoders meet damaged files in ways of their own: struct.error, zlib's, IndexError. All of
    # these mean that the file cannot be read.
    except Exception as error:
        raise ImageError(f"{path}: cannot be read: {error}") from error


def _format_of(path):
    """Returns the module in `formats` that reads a file, by the first bytes of the file."""
    if path.is_dir():
        if ome_zarr.is_store(path):
            return ome_zarr
        raise ImageError("cannot be read: a folder, and no OME-Zarr image")
    # Before opening: a pipe that nobody writes to would block for ever.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ImageError("cannot be read: not a file, but a pipe or a device")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise ImageError("not an image: the file is empty")
    if head.startswith(_APPLE_DOUBLE):
        raise ImageError("not an image: macOS keeps notes about another file here")
    for module in _FORMATS:
        if module.matches(head):
            return module
    read = f"what is read: {' '.join(SUFFIXES)}"
    # bioio goes by the suffix, and would not know a damaged PNG file either.
    if path.suffix.lower() in SUFFIXES:
        raise ImageError(f"not an image, or damaged ({read})")
    if bioio.is_installed():
        return bioio
    raise ImageError(
        f'not an image, or damaged ({read}; further formats with pip install "spheroid-jax[bioio]" '
        "and a plugin of bioio)"
    )


def check_size(scene: Scene, max_pixels: int = MAX_PIXELS):
    """Checks that a plane of a scene is not larger than a limit.

    Raises:
      ImageError: the plane, or what must be decoded to read it, is too large.
    """
    height, width = scene.length("Y"), scene.length("X")
    said = f"{width} x {height} px"
    if scene.decoded > _SAMPLES * max_pixels:
        said += f", for which {scene.decoded / 1e6:.0f} million numbers are decoded"
    elif height * width <= max_pixels:
        return
    raise ImageError(
        f"{said}; pictures of at most {max_pixels / 1e6:g} million pixels are read, unless a "
        "higher limit is given: --max-megapixels, or max_pixels in Python"
    )


def _read(path, choices, *, max_pixels=MAX_PIXELS, stored=False):
    module = _format_of(path)
    scenes = module.describe(path)
    number = choice.choose_scene(scenes, choices.pop("scene", None))
    chosen = scenes[number]
    plane = choice.choose_plane(chosen, **choices)
    check_size(chosen, max_pixels)
    pixels = (module.read_stored if stored else module.read)(path, number, plane)
    # Pages of which the file says nothing may be called channels; they have no names.
    names = chosen.channel_names[plane.channel : plane.channel + 1]
    return Image(
        pixels=pixels,
        axes="YX" if pixels.ndim == 2 else "YXS",
        channel_names=tuple(name for name in names if name),
        pixel_size_um=chosen.pixel_size_um,
        scene=chosen.name or str(number),
        plane=plane,
        source=str(path),
        notes=chosen.notes,
    )
