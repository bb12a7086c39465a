"""Bland-Altman figure: ratios of areas against size, and differences of growth rates."""

import math

import numpy as np
from matplotlib import lines, ticker

from spheroid_jax.report import journal, svg

_HEIGHT_MM = 68
_POINT = {"linestyle": "none", "markersize": 3.5, "markeredgewidth": 0.8}
_OPEN = {"markerfacecolor": "none"}
_MARKERS = "o", "s", "^", "D", "v", "P"


@svg.looks(journal.SETTINGS)
def draw(found) -> svg.Drawn:
    """Draws `growth_agreement.Found`: areas by day on the left, rates by well on the right."""
    pairs = [each for each in found.images if math.isfinite(each.ours) and each.theirs > 0]
    days = sorted({each.day for each in pairs})
    styles = {
        day: {"color": journal.COLOURS[n % 6], "marker": _MARKERS[n % 6], **_POINT}
        for n, day in enumerate(days)
    }
    picture = journal.blank(journal.PAGE_MM, _HEIGHT_MM)
    entries = _legend(styles)
    journal.legend(picture, entries, journal.PAGE_MM)
    left, right = picture.subplots(1, 2)
    _areas(left, pairs, styles, found.agreed.areas)
    _rates(right, found.rates, found.agreed.rates)
    return svg.encode_both(picture)


def _areas(panel, pairs, styles, agreed):
    """Draws the ratio of each image's areas over their geometric mean, on logarithmic axes."""
    panel.set(xscale="log", yscale="log")
    sizes = [math.sqrt(each.ours * each.theirs) for each in pairs]
    ratios = [each.ours / each.theirs for each in pairs]
    for size, ratio, each in zip(sizes, ratios, pairs, strict=True):
        panel.plot(size, ratio, **styles[each.day], **({} if each.verdict == "ok" else _OPEN))
    _levels(panel, agreed, math.exp, "{:.2f}".format)
    ends = [*ratios, *(math.exp(end) for each in agreed[:3] for end in each)]
    panel.set(xlabel="geometric mean of both areas (µm²)", ylabel="area, ours / theirs")
    journal.label_log(panel.xaxis, *panel.get_xlim())
    panel.set_ylim(min(ends) * 0.97, max(ends) * 1.03)
    panel.yaxis.set_major_locator(ticker.MaxNLocator(6, steps=[1, 2, 5, 10]))
    panel.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    panel.yaxis.set_minor_locator(ticker.NullLocator())
    panel.axhline(1, color="0.6", linewidth=0.6, zorder=0)


def _rates(panel, rates, agreed):
    """Draws the difference of each well's rates over their mean, in percent per day."""
    ours, theirs = (
        100 * np.array([getattr(each, who).rate_per_day.value for each in rates])
        for who in ("ours", "theirs")
    )
    panel.plot((ours + theirs) / 2, ours - theirs, color="0.25", marker="o", **_POINT)
    _levels(panel, agreed, lambda rate: 100 * rate, "{:+.1f}".format)
    panel.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    panel.set(xlabel="mean of both growth rates (% per day)")
    panel.set(ylabel="growth rate, ours - theirs (% per day)")


def _levels(panel, agreed, shown, written):
    """Draws bias and limits as lines with their intervals as bands, and writes their values."""
    for each, line in zip(agreed[:3], ("-", "--", "--"), strict=True):
        value, low, high = map(shown, each)
        panel.axhspan(low, high, color=journal.SKY, alpha=0.25, linewidth=0)
        panel.axhline(value, color=journal.BLUE, linestyle=line, linewidth=1)
        panel.annotate(
            *(written(value), (1, value), (2, 0)),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            color=journal.BLUE,
        )


def _legend(styles):
    opened = {"color": "0.25", "marker": "o", **_POINT, **_OPEN}
    return {
        **{f"day {day}": lines.Line2D([], [], **style) for day, style in styles.items()},
        "open: verdict not ok": lines.Line2D([], [], **opened),
        "bias": lines.Line2D([], [], color=journal.BLUE, linewidth=1),
        "95 % limits": lines.Line2D([], [], color=journal.BLUE, linewidth=1, linestyle="--"),
        "95 % intervals": lines.Line2D([], [], color=journal.SKY, alpha=0.4, linewidth=5),
    }
