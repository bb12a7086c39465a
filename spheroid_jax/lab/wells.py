"""Wells: all that is known about one picture, and its rows in the tables."""

import dataclasses
import math
from typing import Any

import numpy as np
from jaxtyping import UInt8

from spheroid_jax.images import find
from spheroid_jax.inference.evidence import Evidence
from spheroid_jax.lab import columns
from spheroid_jax.lab.bodies import Body, Examined
from spheroid_jax.lab.plan import Failed, Item
from spheroid_jax.lab.verdict import Verdict
from spheroid_jax.report.sheets import Column

# Numbers in the tables have this many significant digits; more would be noise.
_DIGITS = 6


@dataclasses.dataclass(frozen=True)
class Well:
    """One measured picture.

    Attributes:
      item: what was read.
      height: height of the picture in pixels.
      width: width of the picture in pixels.
      notes: what was chosen or left out in reading.
      verdict: the verdict.
      evidence: the scores that the verdict rests on.
      examined: probability and bodies; no bodies where the verdict's `measured` is false.
      shown: the normalised picture, 8 bit, made smaller where it is large.
      flags: what to keep in mind about a measurement, one phrase each.
      doubts: those of the flags that concern the picture, such as damage.
    """

    item: Item
    height: int
    width: int
    notes: tuple[str, ...]
    verdict: Verdict
    evidence: Evidence
    examined: Examined
    shown: UInt8[np.ndarray, "h w"]
    flags: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


# What each score of the verdict says, as in `Evidence`.
_SCORES = {
    "share": "share of the image that the largest body covers; with markers, that all bodies cover",
    "doubt": "1 - mean probability in the body",
    "unsure": "number of pixels in doubt over the body's number of pixels",
    "darkness": "mean gray of the ring around the body - mean gray of the body's core",
    "edge_contrast": "difference of the median gray just inside and just outside",
    "grain": "structure in the body's core over the pixel noise there",
    "plain": "share of the image that lies in the body and has hardly any structure",
    "hollow": "depth of a dark band between the body's middle and its surroundings",
    "noise": "standard deviation of the pixel noise",
    "signal_to_noise": "edge contrast over noise",
    "blur": "width of the contour's blur, in pixels of the network's grid",
    "solidity": "area over area of the convex hull",
    "border": "share of the outline that lies on the image's edge",
    "neck": "width of the body's neck over that of the smaller part behind it",
    "specks": "share of the surroundings that stand out from their neighbourhood",
    "crowd": "number of compact marks in the image, whatever the network says",
    "dome": "mean gray near the frame's edges - mean gray in its middle",
    "fragments": "number of components that are too small for a body",
    "bodies": "number of bodies; a body has at least a tenth of the largest one's area",
    "disbelief": "1 - confidence in the largest body; empty for a model without markers",
}
PLACE = (
    Column("image", "the file, below the folder that holds all inputs"),
    Column("scene", "name or number of the scene in the file; empty where there is one"),
    Column("time", "number of the time in the file, from 0; empty where there is one"),
    Column("well", "row and column of the well, from the name of the file or folder"),
    Column("day", "days since the start, from the name"),
    Column("hour", "hours since the start, from the name"),
    Column("field", "name of the field in the well, from the name"),
    Column("verdict", "ok, or the gravest reason for not trusting the row"),
)
IMAGE = (
    *PLACE,
    Column("findings", "all findings, the gravest first"),
    Column("reason", "why the file could not be read"),
    Column("bodies", "number of bodies that were found, measured or not"),
    Column("measured", "number of bodies that were measured, in measurements.csv"),
    Column("width_px", "width of the picture"),
    Column("height_px", "height of the picture"),
    Column("channel", "name or number of the channel that was read"),
    Column("pixel_size_um", "side of a pixel in micrometres; empty where it is not known"),
    Column("pixel_size_source", "file, option, or unknown"),
    Column("flags", "what to keep in mind about the measurements"),
    Column("notes", "what was chosen, left out or assumed in reading"),
    Column("presence", "log odds that there is a body; low where nothing was measured"),
    *(Column(f"score_{field.name}", _SCORES[field.name]) for field in dataclasses.fields(Evidence)),
    Column("sha256", "hash of the file's content"),
    Column("model", "name and hash of the model"),
)
BODY = (
    *PLACE,
    Column("body", "number of the body in the image, 1 for the largest"),
    Column("flags", "what to keep in mind about this row"),
    *columns.columns(),
)


def image_row(well: Well, *, sha256: str, model: str) -> dict[str, Any]:
    """Makes the row of one picture in images.csv."""
    item, evidence = well.item, dataclasses.asdict(well.evidence)
    return {
        **_place(item.found, item.place, item),
        "verdict": well.verdict.verdict,
        "findings": "; ".join(well.verdict.findings),
        "reason": "",
        "bodies": well.examined.found,
        "measured": len(well.examined.bodies),
        "width_px": well.width,
        "height_px": well.height,
        "channel": item.channel_name or (item.channel or ""),
        "pixel_size_um": shown(item.pixel_size_um),
        "pixel_size_source": item.pixel_size_source,
        "flags": "; ".join(well.flags),
        "notes": "; ".join(dict.fromkeys((*item.notes, *well.notes))),
        "presence": shown(well.verdict.presence),
        **{f"score_{name}": shown(value) for name, value in evidence.items()},
        "sha256": sha256,
        "model": model,
    }


def failed_row(failed: Failed, *, sha256: str, model: str) -> dict[str, Any]:
    """Makes the row of a file that could not be read in images.csv."""
    row = dict.fromkeys((column.name for column in IMAGE), "")
    return row | {
        **_place(failed.found, failed.place, None),
        "verdict": "unreadable",
        "findings": "unreadable",
        "reason": find.readable(failed.reason),
        "sha256": sha256,
        "model": model,
    }


def body_rows(well: Well) -> list[dict[str, Any]]:
    """Makes the rows of one picture's bodies in measurements.csv.

    A picture that was not measured has one row with empty measurements, so that no well is missing
    from the table.
    """
    place = _place(well.item.found, well.item.place, well.item)
    place["verdict"] = well.verdict.verdict
    if not well.examined.bodies:
        place["flags"] = "; ".join(well.flags)
        return [dict.fromkeys((column.name for column in BODY), "") | place]
    return [_body_row(body, place, well) for body in well.examined.bodies]


def unmeasured_row(failed: Failed) -> dict[str, Any]:
    """Makes the row of a file that could not be read in measurements.csv."""
    row = dict.fromkeys((column.name for column in BODY), "")
    return row | _place(failed.found, failed.place, None) | {"verdict": "unreadable"}


def shown(value: Any) -> Any:
    """A number with six significant digits; "" for None, NaN and infinity."""
    if value is None or (isinstance(value, float | np.floating) and not math.isfinite(value)):
        return ""
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.{_DIGITS}g}")
    return value


def _body_row(body: Body, place, well):
    values = columns.values(body, well.item.pixel_size_um)
    return {
        **place,
        "body": body.number,
        "flags": "; ".join(well.flags),
        **{name: shown(value) for name, value in values.items()},
    }


def _place(found, place, item):
    return {
        "image": find.readable((found.place.parent / found.path.name).as_posix()),
        "scene": (item.scene_name or item.scene) if item is not None and item.several else "",
        "time": item.t if item is not None and item.several else "",
        "well": place.well,
        "day": shown(place.day),
        "hour": shown(place.hour),
        "field": place.field,
    }
