"""OME-XML in TIFF files: planes of the pages, names of scenes and channels, and pixel sizes.

OME-XML may describe the pages of many files. This module takes only the planes in the file itself
and opens no other file.
"""

import itertools
from typing import NamedTuple
from xml.etree import ElementTree

from spheroid_jax.images.formats import pixel_size

# OME's unit of a physical size without one.
_DEFAULT_UNIT = "\u00b5m"


class Picture(NamedTuple):
    """One image of OME-XML, with the planes that are in the file.

    Attributes:
      name: name of the image, or empty.
      lengths: numbers of times, depths and channels in the file.
      pages: number of the page of each plane; the order of the axes is time, depth, channel.
      channel_names: one name per channel; "" for a channel without a name.
      pixel_size_um: side of a pixel in micrometres, or None if the file does not say.
    """

    name: str
    lengths: tuple[int, int, int]
    pages: tuple[int, ...]
    channel_names: tuple[str, ...]
    pixel_size_um: float | None


def pictures(xml: str, *, pages: int, filename: str) -> tuple[Picture, ...]:
    """Reads the images in OME-XML that have planes in a file.

    Args:
      xml: the text of the first page's ImageDescription tag.
      pages: number of pages of the file.
      filename: name of the file, without its folder.

    Returns:
      The images; an empty list if the text is not OME-XML or does not tell the pages apart.
    """
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return ()
    if not _is(root, "OME"):
        return ()
    own = _owner(root, filename)
    found = [_picture(image, own, pages) for image in root if _is(image, "Image")]
    found = [each for each in found if each is not None]
    used = [page for each in found for page in each.pages]
    # Two planes of one page: the text is not about this file.
    return tuple(found) if len(used) == len(set(used)) else ()


def _is(element, name):
    return element.tag.rpartition("}")[2] == name


def _children(element, name):
    return [child for child in element if _is(child, name)]


def _owner(root, filename):
    """Returns a function that says whether a TiffData element describes this file."""
    identity = root.get("UUID")

    def own(data):
        named = _children(data, "UUID")
        if not named:
            return True
        if identity is not None:
            return (named[0].text or "").strip() == identity
        return named[0].get("FileName", "").lower() == filename.lower()

    return own


def _picture(image, own, pages):
    for pixels in _children(image, "Pixels"):
        channels = _children(pixels, "Channel")
        lengths = {axis: int(pixels.get(f"Size{axis}", 1)) for axis in "TZC"}
        # Colours count as channels in SizeC; a channel of three samples is one colour picture.
        lengths["C"] = len(channels) or lengths["C"]
        planes = _planes(pixels, lengths, own, pages)
        held = [sorted({place[n] for place in planes}) for n in range(3)]
        places = list(itertools.product(*held))
        if not planes or len(places) != len(planes):
            return None
        names = [channel.get("Name", "") for channel in channels] or [""] * lengths["C"]
        return Picture(
            image.get("Name", ""),
            (len(held[0]), len(held[1]), len(held[2])),
            tuple(planes[place] for place in places),
            tuple(names[channel] for channel in held[2]),
            _pixel_size_um(pixels),
        )
    return None


def _planes(pixels, lengths, own, pages):
    """Returns a dict from (time, depth, channel) to the number of the page in this file."""
    # Fastest first, as "XYCZT"; the places of all planes in the order in which pages follow.
    order = [axis for axis in pixels.get("DimensionOrder", "XYCZT") if axis in "TZC"]
    ranges = [range(lengths[axis]) for axis in reversed(order)]
    places = [
        dict(zip(reversed(order), place, strict=True)) for place in itertools.product(*ranges)
    ]
    planes = {}
    for data in _children(pixels, "TiffData") or [ElementTree.Element("TiffData")]:
        if not own(data):
            continue
        first = {axis: int(data.get(f"First{axis}", 0)) for axis in order}
        if first not in places:
            continue
        page = int(data.get("IFD", 0))
        count = int(
            data.get("PlaneCount", data.get("NumPlanes", 1 if "IFD" in data.attrib else pages))
        )
        start = places.index(first)
        for place in places[start : start + count]:
            if page < pages:
                planes[place["T"], place["Z"], place["C"]] = page
            page += 1
    return planes


def _pixel_size_um(pixels):
    sides = (
        pixel_size.from_length(
            pixels.get(f"PhysicalSize{axis}"),
            pixels.get(f"PhysicalSize{axis}Unit", _DEFAULT_UNIT),
        )
        for axis in "XY"
    )
    return pixel_size.from_sides(*sides)
