"""The laboratory report: a page that shows the pictures of a run, their verdicts and sizes.

The page is one file that opens without a network: style, script and pictures are inside.
"""

import base64
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from spheroid_jax.report import page

# Room for a histogram's bars in the units of its drawing.
_LEFT, _TOP, _WIDTH, _HEIGHT = 34.0, 10.0, 300.0, 120.0
_BINS = 20


class Picture(NamedTuple):
    """One picture of a run.

    Attributes:
      name: path of the file below the folder of all inputs, and scene and time where there are
        several.
      well: "A01"; "" if not known.
      time: "day 3", "24 h"; "" if not known.
      verdict: the verdict.
      findings: all findings.
      reason: why the file could not be read; "" if it could.
      flags: what to keep in mind about the measurements.
      doubts: those of the flags that concern the picture, such as damage.
      width: of the picture in pixels.
      height: of the picture in pixels.
      jpeg: a small picture; b"" where there is none.
      contours: corners of each body in pixels, as "x,y x,y".
      diameter: equivalent diameter of the largest body, or None.
      circularity: of the largest body, or None.
      bodies: per body the values of the page's columns, None where there is none.
    """

    name: str
    well: str
    time: str
    verdict: str
    findings: list[str]
    reason: str
    flags: str
    doubts: list[str]
    width: int
    height: int
    jpeg: bytes
    contours: list[str]
    diameter: float | None
    circularity: float | None
    bodies: list[list[float | None]]


def render(
    pictures: Sequence[Picture],
    *,
    title: str,
    model: str,
    notes: Sequence[str],
    unit: str,
    columns: Sequence[str],
    meanings: Sequence[tuple[str, str]],
) -> bytes:
    """Makes the page.

    Args:
      pictures: in the order of the run.
      title: heading of the page.
      model: name of the model.
      notes: what the reader has to know first.
      unit: of the diameters, "µm" or "px".
      columns: names of the measurements in the table of a picture.
      meanings: verdicts in the order of gravity, "ok" last, each with what it means.

    Returns:
      The bytes of an HTML file.
    """
    ranks = {name: rank for rank, (name, _) in enumerate(meanings)}
    counts = [(name, sum(each.verdict == name for each in pictures)) for name, _ in meanings]
    data = {
        "unit": unit,
        "columns": list(columns),
        "meanings": dict(meanings),
        "pictures": [
            picture._asdict()
            | {
                "jpeg": base64.b64encode(picture.jpeg).decode("ascii"),
                "order": order,
                "rank": ranks.get(picture.verdict, 0),
            }
            for order, picture in enumerate(pictures)
        ],
    }
    html = (
        page.templates()
        .get_template("lab.html")
        .render(
            title=title,
            model=model,
            notes=notes,
            look=_look(dict(counts), len(pictures)),
            pictures=len(pictures),
            bodies=sum(len(picture.bodies) for picture in pictures),
            verdicts=[(name, count) for name, count in counts if count],
            wells=any(picture.well for picture in pictures),
            histograms=_histograms(pictures, unit),
            meanings=meanings,
            data=data,
        )
    )
    return html.encode("utf-8", "replace")


def _look(counts, total):
    """Returns the sentence that says how many images to look at before their numbers are used."""
    doubtful = total - counts.get("ok", 0)
    if not doubtful:
        return "Every verdict is ok. Look at some contours all the same."
    return f"{doubtful} not ok: look at these before you use their numbers."


def _histograms(pictures, unit) -> list[dict[str, Any]]:
    values = {
        f"equivalent diameter, {unit}": [p.diameter for p in pictures if p.diameter is not None],
        "circularity": [p.circularity for p in pictures if p.circularity is not None],
    }
    return [_histogram(label, np.array(found)) for label, found in values.items() if len(found) > 1]


def _histogram(label, values):
    """Bars and ticks in the units of the drawing."""
    counts, edges = np.histogram(values, bins=min(_BINS, max(5, len(values) // 2)))
    most = int(counts.max())
    step = _WIDTH / len(counts)
    bars = [
        {
            "x": round(_LEFT + n * step, 1),
            "y": round(_TOP + _HEIGHT * (1 - count / most), 1),
            "width": round(step - 1, 1),
            "height": round(_HEIGHT * count / most, 1),
            "title": f"{low:.3g} to {high:.3g}: {count}",
        }
        for n, (count, low, high) in enumerate(zip(counts, edges, edges[1:], strict=False))
    ]
    ticks = [
        {
            "x": round(_LEFT + share * _WIDTH, 1),
            "text": f"{edges[0] + share * np.ptp(edges):.3g}",
            "anchor": anchor,
        }
        for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    ]
    caption = (
        f"{len(values)} bodies, the largest of each image, whatever the verdict; "
        f"median {np.median(values):.3g}, "
        f"middle half {np.quantile(values, 0.25):.3g} to {np.quantile(values, 0.75):.3g}"
    )
    return {"label": label, "bars": bars, "ticks": ticks, "most": most, "caption": caption}
