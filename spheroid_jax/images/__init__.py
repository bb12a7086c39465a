"""Reading microscope images and bringing them onto the network's grid.

The one way from a file, or an array, to what a network sees; training and
inference share it. The words: an `image` is what a microscope writes, (H, W)
or (H, W, C) of any number type; `gray` is (H, W) float32; `normalised` is
gray with its 1st and 99th percentile at 0 and 1, clipped; the `grid` is the
network's square frame of `size` pixels a side, onto which the image is
resampled and, where it is not square, centred (`Box`) and continued with its
edge's values.
"""

import io
import pathlib
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import Image, ImageSequence, UnidentifiedImageError

from spheroid_jax.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")
MIN_SIDE_PX = 32
# What a grid's label holds.
BACKGROUND, FOREGROUND, OUTSIDE = 0, 1, 2
PERCENTILES = (1.0, 99.0)
# ITU-R BT.601, as in most cameras and image libraries.
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


# Compressions that tifffile leaves to another package: CCITT, LZW, JPEG.
_PILLOW_DECODES = (2, 3, 4, 5, 6, 7)


class ImageError(UserError, ValueError):
    """An image that cannot be used; the message says why."""


class Box(NamedTuple):
    """Where on the grid an image's own content lies, in grid pixels."""

    top: int
    left: int
    height: int
    width: int

    def crop(self, grid):
        """Cuts the content out of (..., H, W) on the grid."""
        return grid[..., self.top : self.top + self.height, self.left : self.left + self.width]


def read_image(path):
    """Reads a PNG, JPEG, BMP, GIF or TIFF file.

    Args:
      path: the file. 8, 16 and 32 bit, float, binary, palette, gray, colour
        and multi-channel images are understood; an alpha channel is dropped.

    Returns:
      (H, W) or (H, W, C), in the file's own number type (but 8 bit for 16-bit
      colour PNG).

    Raises:
      FileNotFoundError: no such file.
      ImageError: not an image, damaged, or a stack of several images.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ImageError(f"{path}: not an image format this reads ({' '.join(SUFFIXES)})")
    tiff = path.suffix.lower().startswith(".tif")
    read = _read_tiff if tiff else _read_with_pillow
    try:
        return read(path)
    except (FileNotFoundError, ImageError):
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{path}: not an image, or damaged") from None
    # Decoders meet damaged files in ways of their own: struct.error, zlib's,
    # IndexError. All of them mean that this file cannot be read.
    except Exception as error:
        raise ImageError(f"{path}: cannot be read: {error}") from error


def _read_tiff(path):
    with tifffile.TiffFile(path) as file:
        if not file.series:
            raise ImageError(f"{path}: damaged: there is no image in it")
        series = file.series[0]
        if series.keyframe.compression in _PILLOW_DECODES:
            return _read_with_pillow(path)
        pixels, axes = series.asarray(), series.axes
    # Axes: Y and X; S samples and C channels; Z, T, and Q or I for unnamed
    # pages. Few unnamed pages are channels whose writer did not say so.
    keep = [n > 1 or axis in "YX" for n, axis in zip(pixels.shape, axes, strict=True)]
    axes = "".join(axis for axis, kept in zip(axes, keep, strict=True) if kept)
    pixels = pixels.reshape([n for n, k in zip(pixels.shape, keep, strict=True) if k])
    others = axes.replace("Y", "", 1).replace("X", "", 1)
    if others and others in "QI" and pixels.shape[axes.index(others)] <= 4:
        axes, others = axes.replace(others, "C"), "C"
    if others not in ("", "C", "S"):
        raise ImageError(
            f"{path}: a stack of several images (axes {axes}, "
            f"{' x '.join(map(str, pixels.shape))}); save one plane as a file"
        )
    order = [axes.index(axis) for axis in "YX" + others]
    return pixels.transpose(order)


def _read_with_pillow(path):
    with Image.open(path) as file:
        frames = sum(1 for _ in ImageSequence.Iterator(file))
        if frames > 1:
            raise ImageError(f"{path}: a stack of {frames} images; save one as a file")
        file.seek(0)
        if file.mode == "P":
            # By way of RGBA: Pillow warns where the palette has an alpha.
            file = file.convert("RGBA").convert("RGB")
        elif file.mode in ("LA", "PA"):
            file = file.convert("L")
        elif file.mode not in ("1", "L", "RGB", "I", "F") and not (file.mode.startswith("I;16")):
            file = file.convert("RGB")
        return np.asarray(file)


def write_mask(file, mask):
    """Writes a mask as 8-bit PNG: 0 and 255.

    Args:
      file: a path, or a file open for writing bytes.
      mask: (H, W), boolean.
    """
    write_gray(file, np.where(mask, np.uint8(255), np.uint8(0)))


def write_gray(file, gray):
    """Writes (H, W) uint8 as PNG, to a path or a file open for writing."""
    Image.fromarray(gray).save(file, "PNG")


def jpeg(gray, side):
    """Makes a small picture of an image, for people.

    Args:
      gray: (H, W), float, in [0, 1]; what lies beyond is clipped.
      side: the longer side's greatest length in pixels.

    Returns:
      the bytes of a JPEG file.
    """
    factor = min(1, side / max(gray.shape))
    shape = [max(1, round(length * factor)) for length in gray.shape]
    levels = np.rint(255 * resample(gray, tuple(shape)).clip(0, 1))
    file = io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(file, "JPEG", quality=80, optimize=True)
    return file.getvalue()


def read_mask(path):
    """Reads a mask: two values, of which 0 is background.

    Args:
      path: a file that `read_image` reads; colour channels must agree.

    Returns:
      (H, W), boolean.

    Raises:
      FileNotFoundError: no such file.
      ImageError: not a readable image, or not two-valued.
    """
    mask = _read_one_channel(path)
    values = np.unique(mask)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0) or np.isnan(values).any():
        few = ", ".join(f"{value:g}" for value in values[:4])
        raise ImageError(
            f"{path}: not a mask of two values, 0 and another: it has "
            f"{len(values)} ({few}{', ...' if len(values) > 4 else ''})"
        )
    return mask != 0


def read_labels(path):
    """Reads a label image: numbered objects on 0.

    Args:
      path: a file that `read_image` reads; colour channels must agree.

    Returns:
      (H, W), integers from 0; a mask of two values is one object.

    Raises:
      FileNotFoundError: no such file.
      ImageError: not a readable image, or not of whole numbers from 0.
    """
    labels = _read_one_channel(path)
    with np.errstate(invalid="ignore"):  # NaN is found below.
        numbers = labels.astype(np.int64)
    if (numbers != labels).any() or numbers.min() < 0:
        raise ImageError(f"{path}: not a label image: its values are not whole numbers from 0")
    return numbers


def _read_one_channel(path):
    pixels = read_image(path)
    if pixels.ndim == 2:
        return pixels
    pixels = pixels[..., :3]
    if (pixels != pixels[..., :1]).any():
        raise ImageError(f"{path}: a coloured picture, not a mask")
    return pixels[..., 0]


def to_gray(image):
    """Turns an image of any kind to gray.

    Three or four channels are red, green, blue (and alpha, dropped): their
    luminance. Any other number of channels: their mean.

    Args:
      image: (H, W) or (H, W, C); integer, float or boolean.

    Returns:
      (H, W), float32, in the image's own units.

    Raises:
      ImageError: another shape, a side under 32 px, not numbers, NaN or
        infinite pixels.
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3):
        raise ImageError(f"an image has shape (H, W) or (H, W, C), not {image.shape}")
    if min(image.shape[:2]) < MIN_SIDE_PX:
        raise ImageError(
            f"image of {image.shape[1]} x {image.shape[0]} px; each side "
            f"must have at least {MIN_SIDE_PX} px (channels come last)"
        )
    if image.dtype.kind not in "uifb":
        raise ImageError(f"pixels of type {image.dtype} are not numbers")
    with np.errstate(over="ignore"):
        image = image.astype(np.float32)
    if not np.isfinite(image).all():
        bad = np.count_nonzero(~np.isfinite(image))
        raise ImageError(f"{bad} pixels are NaN, infinite or too large")
    if image.ndim == 2:
        return image
    if image.shape[2] in (3, 4):
        # Spelt out: a matrix product rounds by the array's layout.
        red, green, blue = np.moveaxis(image[..., :3], -1, 0)
        return LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue
    # Summed in float64: the sum of large floats can overflow.
    return image.mean(axis=2, dtype=np.float64).astype(np.float32)


def normalise(gray):
    """Maps the 1st and 99th percentile to 0 and 1 and clips.

    Where these percentiles are equal (a small body on a flat background), the
    extremes take their place.

    Args:
      gray: (H, W), float32, finite.

    Returns:
      (H, W), float32, in [0, 1].

    Raises:
      ImageError: all pixels have the same value.
    """
    # In float64, because differences of large floats can overflow.
    low, high = np.percentile(gray.astype(np.float64), PERCENTILES)
    low, high = np.float32(low), np.float32(high)
    if low == high:
        low, high = gray.min(), gray.max()
    if low == high:
        raise ImageError(f"all pixels have the same value ({low:g})")
    # Clipped before scaling, and scaled before subtracting: large floats could
    # overflow.
    gray = np.clip(gray, low, high)
    scale = max(abs(low), abs(high))
    low, high = low / scale, high / scale
    return (gray / scale - low) / (high - low)


def grid_box(shape, size):
    """Where an image of `shape` (H, W) lies on a grid of side `size`."""
    longer = max(shape)
    height, width = (max(1, round(side * size / longer)) for side in shape)
    return Box((size - height) // 2, (size - width) // 2, height, width)


def resample(array, shape):
    """Resamples (H, W) float32 to `shape`, anti-aliased (a triangle filter)."""
    height, width = shape
    if array.shape == (height, width):
        return array
    picture = Image.fromarray(np.ascontiguousarray(array, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def read_gray(path):
    """Reads an image as normalised gray, (H, W) float32.

    Raises:
      FileNotFoundError: no such file.
      ImageError: the image cannot be used; the message names the file.
    """
    image = read_image(path)
    try:
        return normalise(to_gray(image))
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


def to_grid(gray, size):
    """Resamples to the grid; what lies outside the box repeats the edge.

    Args:
      gray: (H, W), float32.
      size: the grid's side in pixels.

    Returns:
      grid (size, size), float32, and the image's `Box`.
    """
    box = grid_box(gray.shape, size)
    content = resample(gray, (box.height, box.width))
    return np.pad(content, _margins(box, size), mode="edge"), box


def mask_to_grid(mask, size):
    """Resamples a mask to the grid; a pixel half covered is foreground.

    Args:
      mask: (H, W), boolean.
      size: the grid's side in pixels.

    Returns:
      labels (size, size), uint8: `BACKGROUND`, `FOREGROUND`, or `OUTSIDE`
      where the image does not reach.
    """
    box = grid_box(mask.shape, size)
    covered = resample(mask.astype(np.float32), (box.height, box.width))
    return np.pad((covered >= 0.5).astype(np.uint8), _margins(box, size), constant_values=OUTSIDE)


def preprocess(image, size):
    """From an image to what a network sees: gray, normalised, on the grid.

    Args:
      image: (H, W) or (H, W, C), uint8, uint16 or float, sides >= 32 px.
      size: the grid's side in pixels.

    Returns:
      grid (size, size), float32 in [0, 1], and the image's `Box`.

    Raises:
      ImageError: the image cannot be used.
    """
    return to_grid(normalise(to_gray(image)), size)


def _margins(box, size):
    return ((box.top, size - box.height - box.top), (box.left, size - box.width - box.left))
