"""Figure of Kaplan-Meier curves with the numbers at risk, as SVG and PNG."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Num
from matplotlib import lines, ticker

from spheroid_jax.report import journal, svg

# With more groups, bands over bands cannot be told apart.
_MOST_BANDS = 4
_NAME_CHARACTERS = 16
_CENSORED = {"marker": "|", "linestyle": "none", "markersize": 4.5, "markeredgewidth": 0.8}
_ROW_MM = 3.1


class Survival(NamedTuple):
    """Kaplan-Meier curve of one group of spheroids.

    Attributes:
      name: the group, such as a dose.
      times: times of the steps, in rising order, without time 0.
      probability: probability after each step, in [0, 1].
      low: lower end of the 95 % interval after each step; NaN where there is none.
      high: upper end of the interval.
      observed: time of each spheroid's event or censoring.
      censored: whether that time is a censoring.
    """

    name: str
    times: Num[np.ndarray, " K"]
    probability: Float[np.ndarray, " K"]
    low: Float[np.ndarray, " K"]
    high: Float[np.ndarray, " K"]
    observed: Num[np.ndarray, " N"]
    censored: Bool[np.ndarray, " N"]


@svg.looks(journal.SETTINGS)
def survival_steps(groups: Sequence[Survival], *, probability: str, time: str) -> svg.Drawn:
    """Draws Kaplan-Meier steps with intervals, censoring ticks, and the numbers at risk below.

    The bands of the intervals are drawn for up to 4 groups. The number at risk at a time counts the
    spheroids whose event or censoring is not before that time.

    Args:
      groups: at least one `Survival`.
      probability: name of the probability, such as "spheroids not regrown".
      time: name and unit of the time, such as "time after treatment (d)".

    Raises:
      ValueError: there is no group, or a group has no spheroid.
    """
    empty = [group.name for group in groups if not len(group.observed)]
    if empty or not groups:
        raise ValueError(f"no spheroid of {', '.join(empty) or 'any group'}")
    width = journal.COLUMN_MM if len(groups) <= 6 else journal.WIDE_MM
    styles = [_style(n) for n in range(len(groups))]
    entries = _legend(groups, styles)
    table_mm = _ROW_MM * (len(groups) + 1)
    picture = journal.blank(width, 58 + table_mm + journal.legend_mm(list(entries), width))
    journal.legend(picture, entries, width)
    panel, table = picture.subplots(2, 1, sharex=True, height_ratios=[46, table_mm])
    for group, style in zip(groups, styles, strict=True):
        _steps(panel, group, style, band=len(groups) <= _MOST_BANDS)
    end = max(group.observed.max() for group in groups)
    panel.set(xlim=(-0.03 * end, 1.03 * end), ylim=(-0.02, 1.04), ylabel=f"{probability} (%)")
    panel.yaxis.set_major_locator(ticker.FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    panel.yaxis.set_major_formatter(ticker.PercentFormatter(1, symbol=""))
    panel.xaxis.set_major_locator(ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))
    panel.tick_params(labelbottom=True)
    panel.set_xlabel(time)
    times = [t for t in panel.get_xticks() if 0 <= t <= end]
    _numbers_at_risk(table, groups, styles, times, width)
    return svg.encode_both(picture)


def _style(n):
    colours = journal.COLOURS
    return {
        "color": colours[n % len(colours)],
        "linestyle": journal.LINES[n // len(colours) % len(journal.LINES)],
        "linewidth": 1.2,
    }


def _steps(panel, group, style, *, band):
    """Draws one group, from time 0 to its last time."""
    last = max(group.observed.max(), group.times.max(initial=0))
    times = np.concatenate([[0], group.times, [last]])

    def held(values, start):
        return np.concatenate([[start], values, values[-1:] if len(values) else [start]])

    steps = held(group.probability, 1.0)
    panel.plot(times, steps, drawstyle="steps-post", **style)
    if band:
        low, high = held(group.low, np.nan), held(group.high, np.nan)
        panel.fill_between(
            times, low, high, step="post", facecolor=(style["color"], 0.15), linewidth=0
        )
    at = np.unique(group.observed[group.censored])
    heights = steps[np.searchsorted(times[:-1], at, side="right") - 1]
    panel.plot(at, heights, color=style["color"], **_CENSORED)


def _numbers_at_risk(table, groups, styles, times, width):
    """Writes the numbers at risk below the times of the axis, one row per group."""
    place = {"transform": table.get_yaxis_transform(), "clip_on": False}
    for row, (group, style) in enumerate(zip(groups, styles, strict=True)):
        for time in times:
            count = str(np.sum(group.observed >= time))
            table.annotate(count, (time, row), ha="center", va="center_baseline", fontsize=6)
        table.plot([-0.06, -0.018], [row] * 2, **style, **place)
    names = [journal.fitted(group.name, _NAME_CHARACTERS, 1) for group in groups]
    table.set_yticks(range(len(groups)), names, fontsize=6)
    table.tick_params(left=False, bottom=False, labelbottom=False, pad=0.175 * width)
    table.set_ylim(len(groups) - 0.5, -0.5)
    table.set_title("number at risk", loc="left", fontsize=6, pad=2)
    for side in ("left", "bottom"):
        table.spines[side].set_visible(False)


def _legend(groups, styles):
    entries = {
        f"{journal.fitted(group.name, 48, 1)} (n = {len(group.observed)})": lines.Line2D(
            [], [], **style
        )
        for group, style in zip(groups, styles, strict=True)
    }
    if any(group.censored.any() for group in groups):
        entries["censored"] = lines.Line2D([], [], color="0.3", **_CENSORED)
    if len(groups) <= _MOST_BANDS and any(np.isfinite(g.low).any() for g in groups):
        entries["band: 95 % interval"] = lines.Line2D([], [], color="0.85", linewidth=5)
    return entries
