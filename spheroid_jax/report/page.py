"""A comparison of models as one HTML file, which opens without a network.

Everything is inside: style, script, figures, test images. Outlines are SVG
paths in half pixels of the grid, of which they need no fractions: x to the
right, y down, the first pixel's centre at (1, 1). The same input gives the
same bytes.
"""

import base64
import html
import json
import math
import string
from collections.abc import Iterable, Set
from importlib import resources
from typing import NamedTuple

import numpy as np
from skimage import measure

from spheroid_jax import images
from spheroid_jax.runtime import files

# The score that a card shows large, and that images are picked and sorted by.
MAIN_SCORE = "F"
MISSING = "–"
THUMBNAIL_PX = 256
# How far an outline may be from the mask's border, over the frame's side:
# a quarter of a pixel as shown.
_TOLERANCE = 1 / 1000


class Number(NamedTuple):
    """A table's cell that sorts by `value`; None, NaN: there is none."""

    value: float | None
    text: str


class Table(NamedTuple):
    """Rows of cells; `best` holds the (row, column) to be set in bold."""

    title: str
    caption: str
    headings: list[str]
    rows: list[list[str | Number]]
    best: Set[tuple[int, int]] = frozenset()


class Figure(NamedTuple):
    """A picture: the bytes of an SVG file."""

    title: str
    caption: str
    svg: bytes


class Prediction(NamedTuple):
    """What one model made of one image.

    masks: (H, W) boolean on the image's grid, one a fold.
    scores: means over the folds by name, `MAIN_SCORE` (in [0, 1]) among them;
      None or NaN where there is none.
    f_range: the least and the greatest `MAIN_SCORE` of a fold.
    """

    masks: list[np.ndarray]
    scores: dict[str, float | None]
    f_range: tuple[float | None, float | None]


class ScoredImage(NamedTuple):
    """A test image (H, W) in [0, 1], its true mask, predictions by model."""

    dataset: str
    name: str
    image: np.ndarray
    truth: np.ndarray
    predictions: dict[str, Prediction]


class Fact(NamedTuple):
    """Text as it is, such as a config; folded away until asked for."""

    title: str
    text: str


def write(
    path,
    *,
    title: str,
    summary: Iterable[str],
    tables: Iterable[Table],
    figures: Iterable[Figure],
    images: Iterable[ScoredImage],
    facts: Iterable[Fact],
):
    """Writes the page; everything is shown in the order given.

    Args:
      path: the HTML file.
      title: the heading.
      summary: paragraphs of plain text.
      tables: can be sorted by any column.
      figures: SVG; they stay on a white ground.
      images: taken one at a time: a generator need not hold them all.
      facts: configs, versions, the data's fingerprint.

    Raises:
      ValueError: a table's row does not fit its headings, a mask does not fit
        its image, or `MAIN_SCORE` is missing.
    """
    page = string.Template(_resource("page.html")).substitute(
        title=_escaped(title),
        style=_resource("page.css"),
        script=_resource("page.js"),
        summary=_lines(f"<p>{_escaped(text)}</p>" for text in summary),
        tables=_lines(map(_table, tables)),
        figures=_lines(map(_figure, figures)),
        data=_json(_data(images)),
        facts=_lines(map(_fact, facts)),
    )
    with files.replacing(path, "wb") as file:
        # A file's name can hold what is not Unicode.
        file.write(page.encode("utf-8", "replace"))


def _table(table):
    headings = [_heading(table, column) for column in _columns(table)]
    rows = [
        f"<tr>{''.join(_cell(table, row, c) for c in _columns(table))}</tr>"
        for row in range(len(table.rows))
    ]
    title = _escaped(table.title)
    # What scrolls has to be reachable by the keyboard.
    return (
        f'<figure class="table">\n<h3>{title}</h3>\n'
        f"{_caption(table)}"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{title}">'
        f"\n<table>\n<thead>\n<tr>{''.join(headings)}</tr>\n</thead>\n"
        f"<tbody>\n{_lines(rows)}\n</tbody>\n</table>\n</div>\n</figure>"
    )


def _columns(table):
    columns = range(len(table.headings))
    for row in table.rows:
        if len(row) != len(columns):
            raise ValueError(
                f"table {table.title!r}: {len(row)} cells under {len(columns)} headings: {row}"
            )
    return columns


def _heading(table, column):
    numeric = any(isinstance(row[column], Number) for row in table.rows)
    kind = ' class="number"' if numeric else ""
    return f'<th scope="col"{kind}>{_escaped(table.headings[column])}</th>'


def _cell(table, row, column):
    cell, attributes = table.rows[row][column], ""
    if isinstance(cell, Number):
        value, cell = _finite(cell.value), cell.text
        attributes = ' class="number"'
        if value is None:
            cell = MISSING
        else:
            attributes += f' data-value="{value!r}"'
    text = _escaped(cell)
    if (row, column) in table.best:
        text = f"<strong>{text}</strong>"
    tag, scope = ("td", "") if column else ("th", ' scope="row"')
    return f"<{tag}{scope}{attributes}>{text}</{tag}>"


def _figure(figure):
    # As an image: the ids of SVG files would clash in one document.
    title, svg = _escaped(figure.title), _base64(figure.svg)
    return (
        f"<figure>\n<h3>{title}</h3>\n"
        f'<img alt="{title}" src="data:image/svg+xml;base64,{svg}">\n'
        f"{_caption(figure)}</figure>"
    )


def _caption(part):
    if not part.caption:
        return ""
    return f"<figcaption>{_escaped(part.caption)}</figcaption>\n"


def _fact(fact):
    # A parser drops the line break after <pre>.
    return (
        f"<details>\n<summary>{_escaped(fact.title)}</summary>\n"
        f"<pre>\n{_escaped(fact.text)}</pre>\n</details>"
    )


def _data(scored_images):
    """What page.js shows: predictions in the models' order, scores alike."""
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
    """The path around a mask, holes included; "" if it is empty."""
    if mask.shape != scored.image.shape:
        raise ValueError(
            f"{scored.dataset}/{scored.name}: mask {mask.shape} on image {scored.image.shape}"
        )
    # A margin closes what the frame cuts off.
    loops = measure.find_contours(np.pad(mask, 1).astype(np.float64), 0.5)
    tolerance = _TOLERANCE * max(mask.shape)
    return "".join(_loop(loop, tolerance) for loop in loops)


def _loop(contour, tolerance):
    """A closed contour, (points, 2) in padded (row, column), as a path."""
    kept = measure.approximate_polygon(contour, tolerance)
    if len(kept) < 4:  # A speck, whose ends meet; it has to stay visible.
        kept = contour
    # From centres at whole numbers, after a margin of one pixel.
    halves = np.rint(2 * kept[:-1, ::-1] - 1).astype(int)
    (x, y), steps = halves[0], np.diff(halves, axis=0)
    return f"M{x} {y}l{' '.join(map(str, steps.ravel()))}z".replace(" -", "-")


def _finite(value):
    """The value as a float; None if there is none, or not a finite one."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def _rounded(value):
    """As `_finite`, to what the page shows and one digit more."""
    value = _finite(value)
    return None if value is None else round(value, 4)


def _json(value):
    """JSON that no tag can end from inside."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _lines(parts):
    return "\n".join(parts)


def _escaped(text):
    return html.escape(text, quote=True)


def _base64(content):
    return base64.b64encode(content).decode("ascii")


def _resource(name):
    return resources.files(__package__).joinpath(name).read_text("utf-8")
