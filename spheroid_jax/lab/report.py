"""Pictures of a run, gathered for `report.lab`."""

import pathlib
from collections.abc import Sequence

from spheroid_jax.lab import columns, verdict
from spheroid_jax.lab.journal import Entry
from spheroid_jax.report import lab

MEANINGS = {
    verdict.UNREADABLE: "The file could not be read or used. Nothing was measured.",
    "disintegrated": "The body is ragged, and the network is in doubt about it.",
    "not like the training images": "It is unclear whether there is a body, or the image is "
    "unlike those that the verdicts were calibrated on. The contour may be wrong; nothing was "
    "measured where a body is unlikely.",
    "several": "There is more than one body, apart or touching. By default the largest is "
    "measured; where there are more than the network can tell apart, nothing.",
    "border": "The frame cuts the body, so its size is a lower bound.",
    "out of focus": "The contour is blurred, so the size is uncertain.",
    "low contrast": "The body hardly stands out from the noise.",
    "debris": "Particles lie around the body. The contour may include some.",
    verdict.EMPTY: "No body that the model can outline was found. Nothing was measured.",
    verdict.OK: "Measured, and nothing speaks against it.",
}


def page(entries: Sequence[Entry], output: pathlib.Path, *, model: str, rules_of: str) -> bytes:
    """Makes the report of a run.

    Args:
      entries: the pictures.
      output: the folder that holds the thumbnails.
      model: name of the model.
      rules_of: the model whose rules the verdicts follow.
    """
    known = any(entry.image["pixel_size_um"] != "" and _measured(entry) for entry in entries)
    unit = "um" if known else "px"
    notes = []
    if not known:
        notes.append("The pixel size is not known, so lengths are in pixels. Give --pixel-size.")
    elif any(entry.image["pixel_size_um"] == "" and _measured(entry) for entry in entries):
        notes.append("Some images have no pixel size; their diameters are not shown.")
    if rules_of not in model:
        notes.append(f"The verdicts follow the rules of {rules_of}, since the model has none.")
    names = [column.name for column in columns.columns() if not column.name.endswith(_other(unit))]
    return lab.render(
        [_picture(entry, output, unit, names) for entry in entries],
        title="Spheroid measurements",
        model=model,
        notes=notes,
        unit="µm" if known else "px",
        columns=names,
        meanings=list(MEANINGS.items()),
    )


def _other(unit):
    """Ends of the names of columns in the other unit."""
    other = "px" if unit == "um" else "um"
    return (f"_{other}", f"_{other}2", f"_{other}3")


def _picture(entry, output, unit, names):
    image, bodies = entry.image, _measured(entry)
    first = bodies[0] if bodies else {}
    return lab.Picture(
        name=_name(image),
        well=image["well"],
        time=_time(image),
        verdict=image["verdict"],
        findings=[finding for finding in image["findings"].split("; ") if finding],
        reason=image["reason"],
        flags=image["flags"],
        doubts=entry.card.get("doubts", []),
        width=image["width_px"] or 1,
        height=image["height_px"] or 1,
        jpeg=_thumbnail(entry, output),
        contours=[" ".join(f"{x},{y}" for x, y in c) for _, c in entry.card.get("contours", [])],
        diameter=_number(first.get(f"equivalent_diameter_{unit}")),
        circularity=_number(first.get("circularity")),
        bodies=[[_number(row.get(name)) for name in names] for row in bodies],
    )


def _measured(entry):
    """The rows of the measured bodies."""
    return [row for row in entry.bodies if row["body"] != ""]


def _name(image):
    parts = [image["image"]]
    if image["scene"] != "":
        parts.append(f"scene {image['scene']}")
    if image["time"] != "":
        parts.append(f"time {image['time']}")
    return ", ".join(parts)


def _time(image):
    if image["hour"] != "":
        return f"{image['hour']:g} h"
    return f"day {image['day']:g}" if image["day"] != "" else ""


def _thumbnail(entry, output):
    if not entry.card:
        return b""
    try:
        return (output / entry.card["thumbnail"]).read_bytes()
    except OSError:
        return b""


def _number(value):
    return None if value in ("", None) else float(value)
