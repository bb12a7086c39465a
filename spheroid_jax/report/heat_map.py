"""Heat map of a plate's wells, as SVG and PNG."""

import string
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Num
from matplotlib import collections, colors, lines, patches, ticker

from spheroid_jax.report import journal, svg

# Wells narrower than this have a label at every second (or fourth, ...) row and column.
_LABEL_MM = 3.2
_MAP = "viridis"
_DIVERGING = "PuOr_r"
_EMPTY = {"facecolor": "none", "edgecolor": "0.8", "linewidth": 0.4}
_REFUSED = {"facecolor": "white", "edgecolor": "0.25", "hatch": "////////", "linewidth": 0.4}
_CONTROLS = {
    "negative": journal.BLACK,
    "positive": journal.VERMILION,
    "blank": journal.SKY,
}


class Plate(NamedTuple):
    """Wells of one plate; all arrays are (rows, columns).

    Attributes:
      name: name of the plate.
      values: value of each well; NaN where there is none.
      refused: wells whose image was refused.
      excluded: wells that the map excludes.
      roles: role of each well: "sample", "negative", "positive", "blank" or "empty".
    """

    name: str
    values: Num[np.ndarray, "R C"]
    refused: Bool[np.ndarray, "R C"]
    excluded: Bool[np.ndarray, "R C"]
    roles: np.ndarray


@svg.looks(journal.SETTINGS)
def heat_map(plate: Plate, *, value: str, centre: float | None = None) -> svg.Drawn:
    """Draws a plate with the value of each well as a colour.

    Refused wells are hatched, excluded wells are crossed out, and controls have an outline. A well
    without a value is empty: no colour stands for 0. Values beyond the quartiles by more than 3
    times their distance have the colour of the end, so that one strange well does not make all
    others alike; the colour bar then ends in an arrow.

    Args:
      plate: the wells.
      value: name and unit of the value, such as "volume (µm³)".
      centre: the neutral value of a diverging colour map, such as 100 for % of control; None for a
        colour map that rises from the least value.

    Raises:
      ValueError: the arrays differ in shape.
    """
    shapes = {each.shape for each in plate[1:]}
    if len(shapes) > 1:
        raise ValueError(f"{plate.name}: arrays of shapes {sorted(shapes)}")
    rows, columns = plate.values.shape
    width = journal.COLUMN_MM if columns <= 12 else journal.PAGE_MM
    side = (width - 30) / columns
    entries = _legend(plate)
    picture = journal.blank(width, side * rows + 15 + journal.legend_mm(list(entries), width))
    if entries:
        journal.legend(picture, entries, width)
    panel = picture.add_subplot()
    panel.set_title(journal.fitted(plate.name, int(width / 2)), loc="left", weight="bold", pad=12)
    _colour(picture, panel, plate, value, centre)
    _mark(panel, plate, side)
    _label(panel, rows, columns, side)
    return svg.encode_both(picture)


def row_name(row: int) -> str:
    """Returns the name of a row: A to Z, then AA to AF."""
    letters = string.ascii_uppercase
    return letters[row] if row < 26 else letters[row // 26 - 1] + letters[row % 26]


def _colour(picture, panel, plate, value, centre):
    """Draws the wells with a value, and the colour bar."""
    shown = np.ma.masked_invalid(np.where(plate.refused | plate.excluded, np.nan, plate.values))
    known = shown.compressed()
    rows, columns = shown.shape
    low, high = _limits(known, centre)
    mesh = panel.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        shown,
        cmap=_MAP if centre is None else _DIVERGING,
        norm=colors.Normalize(low, high),
        edgecolor="white",
        linewidth=min(0.8, 8 / columns),
    )
    if len(known):
        beyond = (known.min() < low, known.max() > high)
        extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
        bar = picture.colorbar(
            mesh, ax=panel, extend=extend.get(beyond, "neither"), shrink=0.9, pad=0.02, aspect=18
        )
        bar.set_label(value)
        bar.outline.set_visible(False)
        bar.locator = ticker.MaxNLocator(5)
        bar.formatter = ticker.FuncFormatter(lambda tick, _: journal.number(tick))
        bar.update_ticks()


def _limits(known, centre):
    """Returns the values of the first and the last colour."""
    if not len(known):
        return 0.0, 1.0
    quarter, three_quarters = np.percentile(known, [25, 75])
    reach = 3 * (three_quarters - quarter)
    usual = known[(known >= quarter - reach) & (known <= three_quarters + reach)]
    low, high = usual.min(), usual.max()
    if centre is not None:
        reach = max(abs(low - centre), abs(high - centre))
        low, high = centre - reach, centre + reach
    if low == high:
        half = 0.05 * abs(low) or 1.0
        return low - half, high + half
    return low, high


def _mark(panel, plate, side):
    """Draws empty, refused and excluded wells, and the outlines of controls."""
    empty = np.isnan(plate.values) & ~plate.refused & ~plate.excluded
    _squares(panel, empty, 0.8, **_EMPTY)
    _squares(panel, plate.refused & ~plate.excluded, 0.86, **_REFUSED)
    _squares(panel, plate.excluded, 0.8, **_EMPTY)
    crosses = [
        [(x - 0.4, y - rise), (x + 0.4, y + rise)]
        for y, x in np.argwhere(plate.excluded)
        for rise in (-0.4, 0.4)
    ]
    panel.add_collection(collections.LineCollection(crosses, colors="0.25", linewidths=0.6))
    width = max(1 - 0.8 / side, 0.8)
    for role, colour in _CONTROLS.items():
        # Black on dark wells needs the white line below.
        for edge, thick in (("white", 2.0), (colour, 1.0)):
            style = {"facecolor": "none", "edgecolor": edge, "linewidth": thick * min(1, side / 6)}
            _squares(panel, plate.roles == role, width, **style)


def _squares(panel, where, width, **style):
    shapes = [
        patches.Rectangle((x - width / 2, y - width / 2), width, width)
        for y, x in np.argwhere(where)
    ]
    if shapes:
        panel.add_collection(collections.PatchCollection(shapes, match_original=False, **style))


def _label(panel, rows, columns, side):
    """Names the rows and the columns, as many as fit."""
    step = next(s for s in (1, 2, 4, 8) if s * side >= _LABEL_MM or s == 8)
    panel.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
    panel.set_xticks(range(0, columns, step), range(1, columns + 1, step))
    panel.set_yticks(range(0, rows, step), [row_name(row) for row in range(0, rows, step)])
    panel.tick_params(length=0, labeltop=True, labelbottom=False, pad=2)
    for spine in panel.spines.values():
        spine.set_visible(False)


def _legend(plate):
    entries = {}
    for role, colour in _CONTROLS.items():
        count = np.sum(plate.roles == role)
        if count:
            style = {"facecolor": "none", "edgecolor": colour, "linewidth": 1.3}
            name = role if role == "blank" else f"{role} control"
            entries[f"{name} ({count})"] = patches.Patch(**style)
    refused = plate.refused & ~plate.excluded
    if refused.any():
        entries[f"refused ({refused.sum()})"] = patches.Patch(**_REFUSED)
    if plate.excluded.any():
        cross = {"marker": "x", "linestyle": "none", "color": "0.25", "markersize": 5}
        entries[f"excluded ({plate.excluded.sum()})"] = lines.Line2D([], [], **cross)
    empty = np.isnan(plate.values) & ~plate.refused & ~plate.excluded
    if empty.any():
        entries[f"no value ({empty.sum()})"] = patches.Patch(**_EMPTY)
    return entries
