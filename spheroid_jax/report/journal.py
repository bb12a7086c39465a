"""Journal style of the figures of a plate: column widths, small type, colours, ticks, legends."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import figure, font_manager, textpath, ticker

from spheroid_jax.report import svg

SETTINGS = {
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.titlesize": 7,
    "figure.labelsize": 7,
    "figure.titlesize": 7,
    "font.size": 7,
    "grid.linewidth": 0.5,
    "legend.fontsize": 6.5,
    "legend.handlelength": 1.8,
    "xtick.labelsize": 6.5,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "xtick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "ytick.labelsize": 6.5,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.6,
    "ytick.minor.size": 1.5,
    "ytick.minor.width": 0.4,
}
# Widths of one column, one and a half, and two columns of a journal.
COLUMN_MM, WIDE_MM, PAGE_MM = 85, 120, 180
# Okabe and Ito's colours, safe for the colour-blind; the purple is darkened for lines on white.
BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#c4599a"
ORANGE, SKY, BLACK = "#e69f00", "#56b4e9", "#000000"
COLOURS = BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK
LINES = "-", (0, (5, 1.5)), (0, (1, 1))
_MM = 1 / 25.4
_POINT_MM = 25.4 / 72
# Sizes of a panel's name and of the facts below it, in points.
_NAME, _FACTS = 7, 6
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Grid(NamedTuple):
    """Arrangement of panels: rows, columns, width of the figure, room for a panel's title."""

    rows: int
    columns: int
    width_mm: float
    title_mm: float


def grid(panels: int) -> Grid:
    """Arranges panels on one column for one panel, and on up to two columns for many.

    Raises:
      ValueError: there is no panel.
    """
    if panels < 1:
        raise ValueError("a figure needs at least 1 panel")
    columns = {1: 1, 2: 2, 3: 3, 4: 2}.get(panels, 3 if panels <= 9 else 4)
    width = {1: COLUMN_MM, 2: WIDE_MM}.get(columns, PAGE_MM)
    return Grid(-(-panels // columns), columns, width, (width - 14) / columns - 4)


def blank(width_mm: float, height_mm: float) -> figure.Figure:
    """Makes an empty figure of a size in millimetres."""
    return svg.blank(width_mm * _MM, height_mm * _MM)


def fitted(text: str, characters: int, lines: int = 3) -> str:
    """Wraps a text; a very long one keeps its beginning and its end, which tell names apart."""
    kept = text
    while len(wrapped := textwrap.wrap(kept, characters) or [""]) > lines:
        most = min(len(kept) - 1, characters * lines)
        kept = f"{text[: most - most // 2 - 1]}…{text[-(most // 2) :]}"
    return "\n".join(wrapped)


class Title(NamedTuple):
    """A panel's name, and facts below it in smaller letters; both are wrapped."""

    name: str
    facts: str

    def height_mm(self) -> float:
        """Returns the height of the text."""
        facts = (self.facts.count("\n") + 1) * 2.6 if self.facts else 0
        return facts + (self.name.count("\n") + 1) * 3 + 2


def title(name: str, facts: Sequence[str], width_mm: float) -> Title:
    """Wraps a panel's name and facts to a width."""
    wrapped = [_to_width(fact, width_mm, size=_FACTS, weight="normal") for fact in facts if fact]
    name = _to_width(name, width_mm, size=_NAME, weight="bold")
    return Title(name, "\n".join(wrapped))


def _to_width(text, width_mm, *, size, weight):
    """Wraps a text to a measured width: a wide title would make its panel narrow."""
    properties = font_manager.FontProperties(size=size, weight=weight)
    measure = textpath.TextToPath().get_text_width_height_descent
    characters = int(width_mm / (0.15 * size))
    while True:
        wrapped = fitted(text, characters)
        widest = max(measure(line, properties, ismath=False)[0] for line in wrapped.split("\n"))
        if widest * _POINT_MM <= width_mm or characters <= 5:
            return wrapped
        characters -= 1


def write_title(panel, text: Title):
    """Writes a title over a panel, at its left end."""
    facts = panel.annotate(
        text.facts,
        (0, 1),
        (0, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        va="bottom",
        fontsize=_FACTS,
        color="0.25",
    )
    panel.annotate(
        text.name,
        (0, 1),
        (0, 2),
        xycoords=facts,
        textcoords="offset points",
        va="bottom",
        fontsize=_NAME,
        weight="bold",
    )


def heights_mm(titles: Sequence[Title], columns: int) -> list[float]:
    """Returns the height of the highest title of each row of panels."""
    rows = [titles[n : n + columns] for n in range(0, len(titles), columns)]
    return [max(each.height_mm() for each in row) for row in rows]


def number(value: float) -> str:
    """Formats a tick of a logarithmic axis: 0.001 to 10000 as it is, else a power of ten."""
    if 1e-3 <= value < 1e5 or not value:
        return f"{value:g}"
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = value / 10.0**exponent
    power = f"10{exponent}"[:2] + str(exponent).translate(_SUPERSCRIPTS)
    return power if abs(factor - 1) < 1e-6 else f"{factor:g}×{power}"


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Chooses about 3 to `most` ticks of a logarithmic axis in [low, high]."""
    first, last = math.floor(math.log10(low) - 1e-9), math.ceil(math.log10(high) + 1e-9)
    powers = range(first, last + 1)
    for step in range(1, last - first + 2):
        ticks = _inside([10.0**p for p in powers if p % step == 0], low, high)
        if len(ticks) <= most:
            break
    for factors in ((1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        if len(ticks) >= 3:
            return ticks
        finer = _inside([f * 10.0**p for p in powers for f in factors], low, high)
        if len(finer) <= most:
            ticks = finer
    if len(ticks) >= 2:
        return ticks
    return _inside(ticker.MaxNLocator(most - 1).tick_values(low, high), low, high)


def log_minor(low: float, high: float) -> list[float]:
    """Returns the minor ticks 2, 3, ... 9 of each decade in [low, high]; none over many decades."""
    if high / low > 1e5:
        return []
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return _inside([f * 10.0**p for p in range(first, last + 1) for f in range(2, 10)], low, high)


def label_log(axis, low: float, high: float, most: int = 5):
    """Puts ticks on a logarithmic axis so sparsely that their labels do not overlap."""
    ticks = log_ticks(low, high, most)
    axis.set_major_locator(ticker.FixedLocator(ticks))
    axis.set_major_formatter(ticker.FixedFormatter([number(t) for t in ticks]))
    axis.set_minor_locator(ticker.FixedLocator(log_minor(low, high)))
    axis.set_minor_formatter(ticker.NullFormatter())


def legend_columns(texts: Sequence[str], width_mm: float) -> int:
    """Returns in how many columns a legend fits."""
    widths = [1.25 * len(text) + 9 for text in texts]
    for columns in range(len(texts), 1, -1):
        rows = -(-len(texts) // columns)
        filled = [widths[n : n + rows] for n in range(0, len(widths), rows)]
        if sum(max(column) for column in filled) <= width_mm:
            return len(filled)
    return 1


def legend_mm(texts: Sequence[str], width_mm: float) -> float:
    """Returns the height of a legend."""
    return 2 + 3.5 * -(-len(texts) // legend_columns(texts, width_mm))


def legend(picture: figure.Figure, entries: Mapping, width_mm: float):
    """Explains each kind of line once, above the panels, in as many columns as fit."""
    picture.legend(
        list(entries.values()),
        list(entries),
        loc="outside upper left",
        ncols=legend_columns(list(entries), width_mm),
        borderpad=0.2,
        columnspacing=1.2,
    )


def label_axes(picture: figure.Figure, panels, grid: Grid, *, x: str, y: str):
    """Names the axes once; over the figure where there are several rows or columns."""
    if grid.columns == 1:
        panels[0].set_xlabel(x)
    elif x:
        picture.supxlabel(x)
    if grid.rows == 1:
        panels[0].set_ylabel(y)
    else:
        picture.supylabel(y)


def _inside(ticks, low, high):
    tolerance = 1e-9
    ticks = np.unique([float(f"{tick:.9g}") for tick in ticks])
    inside = (ticks >= low * (1 - tolerance)) & (ticks <= high * (1 + tolerance))
    return ticks[inside].tolist()
