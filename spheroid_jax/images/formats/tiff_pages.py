"""Pixels of one TIFF page: decompression, colours and orientation."""

import importlib.util
import math
import pathlib

import numpy as np
from PIL import Image, TiffImagePlugin

from spheroid_jax.images.formats import lzw, orientation, pillow
from spheroid_jax.images.image import ImageError

# Values of the Compression tag. Pillow decodes fax and JPEG pages as a whole; `lzw` decodes LZW; of
# the others Python decompresses deflate, packbits and LZMA by itself, and imagecodecs the rest.
# `_BYTES` compress bytes of any meaning (ZSTD is one), and not pictures.
_FAX_OR_JPEG = (2, 3, 4, 6, 7)
_LZW = 5
_PYTHONS = (1, _LZW, 8, 32946, 32773, 34925)
_BYTES = (*_PYTHONS, 50_000)
# Values of the PhotometricInterpretation tag.
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_LAB = (8, 9, 10)
# Samples per pixel of each kind of colour.
_COLOURS = {_RGB: 3, _CMYK: 4, _YCBCR: 3}
# Bits of the NewSubfileType tag: a smaller copy of another page, a transparency mask.
_REDUCED_OR_MASK = 1 | 4


def is_copy(keyframe) -> bool:
    """Returns whether a page is a smaller copy or a transparency mask of another page."""
    return bool(keyframe.subfiletype & _REDUCED_OR_MASK)


def channels(keyframe) -> int:
    """Returns the number of channels in the samples of a page; 1 for gray and for colour."""
    if keyframe.photometric not in (_MIN_IS_WHITE, _MIN_IS_BLACK):
        return 1
    # Samples of unknown meaning beside gray are channels; an alpha is none.
    return keyframe.samplesperpixel - sum(kind in (1, 2) for kind in keyframe.extrasamples)


def is_colour(keyframe) -> bool:
    """Returns whether the samples of a page are colours."""
    return keyframe.photometric in (*_COLOURS, _PALETTE)


def shape(keyframe) -> tuple[int, int]:
    """Returns height and width of a page that is turned upright."""
    size = keyframe.imagelength, keyframe.imagewidth
    return size[::-1] if orientation.swaps_sides(_orientation(keyframe)) else size


def dtype(keyframe) -> np.dtype:
    """Returns the number type of the pixels of a page."""
    return np.dtype(np.uint8 if keyframe.photometric == _PALETTE else keyframe.dtype or np.uint8)


def decoded(keyframe) -> int:
    """Returns how many numbers are decoded to read a page: all samples, and whole tiles."""
    tile = math.prod(keyframe.chunks) if keyframe.is_tiled else 0
    return max(math.prod(keyframe.shaped), tile * len(keyframe.dataoffsets))


def to_array(path: pathlib.Path, page, *, channel: int, stored: bool) -> np.ndarray:
    """Reads a page of a TIFF file.

    Args:
      path: the file.
      page: `tifffile.TiffPage` or `TiffFrame` of the open file.
      channel: number of the channel, for pages whose samples are channels.
      stored: whether to return the numbers as they are stored, without applying a palette or
        inverting a picture whose zero is white.

    Returns:
      (H, W), or (H, W, 3) for colour.
    """
    keyframe = page.keyframe
    if keyframe.imagedepth > 1:
        raise ImageError("a page of several depths, which is not read")
    _check_whole(page, keyframe)
    if keyframe.compression in _FAX_OR_JPEG and _is_pillows(page):
        pixels = _by_pillow(path, page.index)
        undo = stored and keyframe.photometric == _MIN_IS_WHITE
        return _inverted(pixels, keyframe.bitspersample) if undo else pixels
    return _finished(_decoded(page, keyframe), keyframe, channel, stored)


def _check_whole(page, keyframe):
    """Checks that no strip or tile of a page is missing: it would be read as zeros."""
    places = zip(page.dataoffsets, page.databytecounts, strict=False)
    written = sum(bool(offset and count) for offset, count in places)
    listed = len(page.dataoffsets)
    # One place may stand for all strips, if these follow each other.
    whole = listed if listed == 1 else max(listed, math.prod(keyframe.chunked))
    if written < whole:
        missing = whole - written
        raise ImageError(f"half-written: {missing} of {whole} strips or tiles are missing")


def from_offset(page, offset: int, number: int, *, stored: bool) -> np.ndarray:
    """Reads one picture of several that follow each other in the file and share one page's tags.

    Args:
      page: `tifffile.TiffPage` of the open file.
      offset: place of the first picture in the file.
      number: number of the picture, from 0.
      stored: as for `to_array`.

    Returns:
      (H, W), or (H, W, 3) for colour.
    """
    keyframe = page.keyframe
    file = page.parent.filehandle
    count = math.prod(keyframe.shaped)
    dtype = np.dtype(keyframe.parent.byteorder + keyframe.dtype.char)
    file.seek(offset + number * count * dtype.itemsize)
    pixels = file.read_array(dtype, count).astype(keyframe.dtype)
    return _finished(pixels, keyframe, 0, stored)


def _is_pillows(page):
    """Whether Pillow decodes a page of fax or JPEG; imagecodecs decodes the others."""
    file = page.parent
    # Pillow takes the tags of a BigTIFF file in this order of bytes for those of another.
    return page.keyframe.bitspersample in (1, 8) and not (file.is_bigtiff and file.byteorder == ">")


def _by_pillow(path, index):
    """Reads a page with Pillow: upright, colours as RGB, zero as black."""
    with TiffImagePlugin.TiffImageFile(path) as file:
        file.seek(index)
        return pillow.to_array(file)


def _orientation(keyframe):
    tag = keyframe.tags.get(orientation.TAG)
    return int(tag.value) if tag is not None else 1


def _decoded(page, keyframe):
    """Decodes a page to its stored numbers."""
    # As the file has it: decoding LZW changes the compression of the open page.
    name = getattr(keyframe.compression, "name", keyframe.compression)
    is_lzw = keyframe.compression == _LZW
    try:
        return _lzw(page, keyframe) if is_lzw else page.asarray()
    except Exception as error:
        if importlib.util.find_spec("imagecodecs") is None and _needs_imagecodecs(keyframe):
            raise ImageError(
                f"its compression ({name}, {keyframe.bitspersample} bit) "
                'needs an optional package: pip install "spheroid-jax[formats]"'
            ) from error
        raise


def _needs_imagecodecs(keyframe):
    whole_bytes = keyframe.bitspersample in (1, 8, 16, 32, 64)
    return keyframe.compression not in _PYTHONS or keyframe.predictor == 3 or not whole_bytes


def _lzw(page, keyframe):
    """Decodes an LZW page: `lzw` decompresses, and tifffile interprets the bytes."""
    read = page.parent.filehandle.read_segments
    segments = list(lzw.decompressed(page, keyframe, read))
    # As tifffile is to take what is decompressed by now.
    keyframe.compression = 1
    pixels = np.zeros(keyframe.shaped, keyframe.dtype)
    for index, segment in enumerate(segments):
        part, (plane, _, top, left, _), size = keyframe.decode(segment, index)
        target = pixels[plane, 0, top : top + size[1], left : left + size[2]]
        target[:] = part[0, : target.shape[0], : target.shape[1]]
    return pixels


def _finished(pixels, keyframe, channel, stored):
    """Converts the stored numbers of a page to an upright picture."""
    # Planes of samples, depth, rows, columns, samples that lie together.
    planes = pixels.reshape(keyframe.shaped)[:, 0]
    samples = np.moveaxis(planes, 0, 2).reshape(*planes.shape[1:3], -1)
    pixels = _interpreted(samples, keyframe, channel, stored)
    return np.ascontiguousarray(orientation.turned(pixels, _orientation(keyframe)))


def _interpreted(samples, keyframe, channel, stored):
    """Converts samples (H, W, N) to gray (H, W) or RGB (H, W, 3) by the photometric tag."""
    kind = keyframe.photometric
    if samples.shape[2] < _COLOURS.get(kind, 1):
        raise ImageError(f"damaged: {samples.shape[2]} samples per pixel of {kind.name}")
    if kind == _RGB:
        return samples[..., :3]
    if kind == _PALETTE:
        return samples[..., 0] if stored else _looked_up(samples[..., 0], keyframe.colormap)
    if kind == _CMYK:
        return _converted(samples[..., :4], "CMYK")
    if kind == _YCBCR:
        # Codecs for pictures have made RGB of it by themselves.
        by_bytes = keyframe.compression in _BYTES
        return _converted(samples[..., :3], "YCbCr") if by_bytes else samples[..., :3]
    if kind == _MIN_IS_WHITE and not stored:
        return _inverted(samples[..., channel], keyframe.bitspersample)
    if kind not in (_MIN_IS_WHITE, _MIN_IS_BLACK, *_LAB) and samples.shape[2] > 1:
        raise ImageError(f"colours of the kind {kind.name}, which are not read")
    # Of Lab the lightness.
    return samples[..., channel]


def _looked_up(indices, colormap):
    """Returns uint8 colours for indices into a palette (3, N), which is mostly stored as 16 bit."""
    colours = colormap >> 8 if colormap.max() > 255 else colormap
    return colours.T.astype(np.uint8)[indices]


def _converted(samples, mode):
    """Converts colours of another colour space to RGB, uint8."""
    if samples.dtype == np.uint16:
        samples = (samples >> 8).astype(np.uint8)
    if samples.dtype != np.uint8:
        raise ImageError(f"{mode} colours of type {samples.dtype}, which are not read")
    picture = Image.frombytes(mode, samples.shape[1::-1], np.ascontiguousarray(samples).tobytes())
    return np.asarray(picture.convert("RGB"))


def _inverted(pixels, bits):
    """Inverts pixels, so that the smallest value becomes the largest."""
    if pixels.dtype.kind == "u":
        return np.array(2**bits - 1, pixels.dtype) - pixels
    return -pixels if pixels.dtype.kind == "f" else ~pixels
