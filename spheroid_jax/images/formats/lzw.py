"""Decompression of the LZW strips and tiles of a TIFF page, with the libtiff inside Pillow.

tifffile needs a package of 80 MB for LZW. This module instead wraps the compressed bytes in the
tags of a gray 8-bit picture with one byte per pixel, which Pillow decodes. tifffile then interprets
the bytes.
"""

import io
import math
import struct

import numpy as np
from PIL import TiffImagePlugin

_LZW = 5
_SHORT, _LONG = 3, 4


def decompressed(page, keyframe, read_segments):
    """Yields the bytes of each strip or tile of an LZW page, in order.

    Args:
      page: `tifffile.TiffPage` or `TiffFrame`.
      keyframe: `tifffile.TiffPage` with the tags of the page.
      read_segments: function of offsets and byte counts that yields pairs (bytes, number), as
        `tifffile.FileHandle.read_segments`.
    """
    samples = keyframe.samplesperpixel if keyframe.planarconfig == 1 else 1
    planes = 1 if keyframe.planarconfig == 1 else keyframe.samplesperpixel
    if keyframe.is_tiled:
        width, rows = keyframe.tilewidth, keyframe.tilelength
        # All tiles are whole, those at the border as well.
        length = len(page.dataoffsets) // planes * rows
    else:
        width, length = keyframe.imagewidth, keyframe.imagelength
        rows = min(keyframe.rowsperstrip, length)
    row_bytes = math.ceil(width * samples * keyframe.bitspersample / 8)
    segments = [data for data, _ in read_segments(page.dataoffsets, page.databytecounts)]
    count = len(segments) // planes
    for plane in range(planes):
        # Each plane on its own: its last strip may be shorter.
        own = segments[plane * count : (plane + 1) * count]
        decoded = _decoded(own, row_bytes, length, rows)
        for first in range(0, length, rows):
            yield decoded[first : first + rows].tobytes()


def _decoded(segments, width, length, rows):
    """Decodes strips of `rows` rows of `width` bytes; returns (length, width), uint8."""
    file = io.BytesIO(_wrapped(segments, width, length, rows))
    with TiffImagePlugin.TiffImageFile(file) as picture:
        return np.asarray(picture)


def _wrapped(segments, width, length, rows):
    """Returns a little-endian TIFF file with one gray page, whose data follow the tags."""
    count = len(segments)
    tags = [
        (256, _LONG, width),
        (257, _LONG, length),
        (258, _SHORT, 8),
        (259, _SHORT, _LZW),
        (262, _SHORT, 1),
        (273, _LONG, None),  # Offsets of the strips.
        (277, _SHORT, 1),
        (278, _LONG, rows),
        (279, _LONG, None),  # Their lengths.
    ]
    # A list of one value stands in the tag itself.
    lists = 8 + 2 + 12 * len(tags) + 4
    data = lists + (8 * count if count > 1 else 0)
    lengths = [len(segment) for segment in segments]
    offsets = [data + sum_ for sum_ in np.cumsum([0, *lengths[:-1]]).tolist()]
    places = {273: (lists, offsets), 279: (lists + 4 * count, lengths)}
    header = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    for code, kind, value in tags:
        n = 1
        if code in places:
            n, (place, values) = count, places[code]
            value = values[0] if n == 1 else place
        header += struct.pack("<HHII", code, kind, n, value)
    header += struct.pack("<I", 0)
    if count > 1:
        header += struct.pack(f"<{2 * count}I", *offsets, *lengths)
    return header + b"".join(segments)
