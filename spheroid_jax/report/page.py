"""HTML pages that compare models: tables, figures and scored images in one file.

A page opens without a network, because style, script, figures and test images are inside the file.
The templates are in `templates/`; this module prepares what they show. The same input gives the
same bytes.

Outlines are SVG paths with whole numbers, in half pixels of the image's grid: x to the right, y
down, the centre of the first pixel at (1, 1).
"""

import base64
import functools
import math
import pathlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jinja2
import numpy as np
from jaxtyping import Bool, Float
from skimage import measure

from spheroid_jax import images
from spheroid_jax.report import tables
from spheroid_jax.runtime import files

# The score, in percent, that a card shows large, and by which images are filtered and sorted.
MAIN_SCORE = "F"
MISSING = "–"
THUMBNAIL_PX = 256
# Largest distance between an outline and the mask's border, as a share of the image's longer side:
# a quarter of a pixel as shown.
_TOLERANCE = 1 / 1000


class Table(NamedTuple):
    """A table with its heading and caption; the title of `numbers` is not shown."""

    title: str
    caption: str
    numbers: tables.Table


class Figure(NamedTuple):
    """A picture with its heading and caption; `svg` holds the bytes of an SVG file."""

    title: str
    caption: str
    svg: bytes


class Prediction(NamedTuple):
    """The masks that one model predicts for one image, and their scores.

    Attributes:
      masks: one mask per fold, on the image's grid.
      scores: dict from name to the mean over the folds, in the unit in which the score is shown;
        None or NaN if a score is not defined. `MAIN_SCORE`, in percent, must be given.
      f_range: the lowest and the highest `MAIN_SCORE` of a fold, in percent.
    """

    masks: list[Bool[np.ndarray, "H W"]]
    scores: dict[str, float | None]
    f_range: tuple[float | None, float | None]


class ScoredImage(NamedTuple):
    """A test image in [0, 1], its true mask, and the predictions by model."""

    dataset: str
    name: str
    image: Float[np.ndarray, "H W"]
    truth: Bool[np.ndarray, "H W"]
    predictions: dict[str, Prediction]


class Fact(NamedTuple):
    """Preformatted text, such as a config; the page shows the text on a click."""

    title: str
    text: str


def write(
    path: str | pathlib.Path,
    *,
    title: str,
    summary: Iterable[str],
    tables: Iterable[Table],
    figures: Iterable[Figure],
    images: Iterable[ScoredImage],
    facts: Iterable[Fact],
):
    """Writes a page, whose parts stand in the order given.

    Args:
      path: the HTML file.
      title: the page's heading.
      summary: paragraphs of plain text.
      tables: tables; a reader can sort them by any column.
      figures: SVG figures; their ground stays white in dark mode.
      images: test images; a generator is read image by image, and need not hold them all.
      facts: configs, versions, the fingerprint of the data.

    Raises:
      ValueError: a row does not fit its table's headings, a mask does not fit its image, or
        `MAIN_SCORE` is missing.
    """
    page = templates().get_template("page.html")
    text = page.render(
        title=title,
        summary=summary,
        tables=[_shown(table) for table in tables],
        figures=figures,
        data=_data(images),
        facts=facts,
    )
    with files.replacing(path, "wb") as file:
        # The name of a file can contain bytes that are not Unicode.
        file.write(text.encode("utf-8", "replace"))


@functools.cache
def templates():
    """Makes the environment of the templates, which escapes all text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("spheroid_jax.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"base64": _base64, "unbroken": _unbroken}
    # `tojson` escapes what could end the script element.
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment


class _Heading(NamedTuple):
    text: str
    numeric: bool


class _Cell(NamedTuple):
    """A cell as shown; a numeric one is sorted by `value`, unless that is None."""

    text: str
    numeric: bool = False
    value: float | None = None
    best: bool = False


class _ShownTable(NamedTuple):
    title: str
    caption: str
    groups: Sequence[tuple[str, int]]
    headings: list[_Heading]
    rows: list[list[_Cell]]


def _shown(table):
    """Turns a `Table` into the texts and values that its macro writes."""
    headings = table.numbers.headings
    for row in table.numbers.rows:
        if len(row) != len(headings):
            raise ValueError(
                f"table {table.title!r}: {len(row)} cells under {len(headings)} headings: {row}"
            )
    rows = [[_cell(cell) for cell in row] for row in table.numbers.rows]
    numeric = [any(row[column].numeric for row in rows) for column in range(len(headings))]
    return _ShownTable(
        table.title,
        table.caption,
        table.numbers.groups,
        [_Heading(*pair) for pair in zip(headings, numeric, strict=True)],
        rows,
    )


def _cell(cell):
    """Turns a string or a `tables.Cell` into a `_Cell`."""
    if isinstance(cell, str):
        return _Cell(cell)
    value = _finite(cell.value)
    text = MISSING if value is None else tables.text(cell)
    return _Cell(text, True, value, cell.best)


def _data(scored_images):
    """Makes the data for page.js: cards whose predictions and scores are lists in one order."""
    cards = [_card(image) for image in scored_images]
    models = dict.fromkeys(m for card in cards for m in card["predictions"])
    scores = dict.fromkeys([MAIN_SCORE])
    for card in cards:
        for prediction in card["predictions"].values():
            scores |= dict.fromkeys(prediction["scores"])
    for card in cards:
        for prediction in card["predictions"].values():
            prediction["scores"] = [prediction["scores"].get(s) for s in scores]
        card["predictions"] = [card["predictions"].get(m) for m in models]
    return {"models": list(models), "scores": list(scores), "images": cards}


def _card(scored):
    height, width = scored.image.shape
    return {
        "dataset": scored.dataset,
        "name": scored.name,
        "width": width,
        "height": height,
        "jpeg": _base64(images.jpeg(scored.image, THUMBNAIL_PX)),
        "truth": _outline(scored, scored.truth),
        "predictions": {model: _prediction(scored, model) for model in scored.predictions},
    }


def _prediction(scored, model):
    prediction = scored.predictions[model]
    if MAIN_SCORE not in prediction.scores:
        raise ValueError(
            f"{scored.dataset}/{scored.name}, {model}: no score "
            f"{MAIN_SCORE!r} among {list(prediction.scores)}"
        )
    return {
        "folds": [_outline(scored, mask) for mask in prediction.masks],
        "scores": {name: _rounded(value) for name, value in prediction.scores.items()},
        "range": [_rounded(value) for value in prediction.f_range],
    }


def _outline(scored, mask):
    """Returns the path around a mask, holes included; "" for an empty mask."""
    if mask.shape != scored.image.shape:
        raise ValueError(
            f"{scored.dataset}/{scored.name}: mask {mask.shape} on image {scored.image.shape}"
        )
    # A margin closes outlines that the image's border cuts.
    loops = measure.find_contours(np.pad(mask, 1).astype(np.float64), 0.5)
    tolerance = _TOLERANCE * max(mask.shape)
    return "".join(_loop(loop, tolerance) for loop in loops)


def _loop(contour, tolerance):
    """Returns the path of a closed contour, (points, 2) in padded (row, column)."""
    kept = measure.approximate_polygon(contour, tolerance)
    if len(kept) < 4:  # A speck of two or three points would not be seen.
        kept = contour
    # From pixel centres at whole numbers, shifted by a margin of one pixel.
    halves = np.rint(2 * kept[:-1, ::-1] - 1).astype(int)
    (x, y), steps = halves[0], np.diff(halves, axis=0)
    return f"M{x} {y}l{' '.join(map(str, steps.ravel()))}z".replace(" -", "-")


def _finite(value):
    """Returns the value as a float, or None where it is None, NaN or infinite."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def _rounded(value):
    """Returns `_finite(value)` with one decimal more than the page shows."""
    value = _finite(value)
    return None if value is None else round(value, 2)


def _unbroken(text):
    """Returns a text in which no line breaks between a number and its percent sign."""
    return re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)


def _base64(content):
    return base64.b64encode(content).decode("ascii")
