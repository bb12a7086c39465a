"""Figures of a plate's answers, as SVG and PNG: dose-response curves and growth over time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Num
from matplotlib import lines, patches, ticker

from spheroid_jax.report import journal, svg

_NONE = (np.nan, np.nan, np.nan)
# Heights of a panel's axes: one panel alone, and one of several.
_ALONE_MM, _AXES_MM = 40, 28
# From the place of the zero dose to the lowest dose: a share of the other doses' decades, at least
# so many decades.
_ZERO_SHARE, _ZERO_GAP = 0.2, 0.6
_POINT = {"marker": "o", "linestyle": "none", "markersize": 3, "markeredgewidth": 0}
_MEAN = {"marker": "_", "linestyle": "none", "markersize": 6.5, "markeredgewidth": 1.1}
_WELL = {"color": "0.35", "alpha": 0.5}


class DoseCurve(NamedTuple):
    """One compound's wells and fitted curve.

    Attributes:
      name: the compound, and the cell line where there are several.
      unit: unit of the doses.
      doses: dose of each well; 0 is drawn at a place of its own beyond a break of the axis.
      responses: response of each well; NaN where a well is missing.
      grid: doses of the fitted curve, above 0; empty where there is no fit.
      fit: fitted response at each dose of the grid.
      low: lower end of the fit's 95 % interval; NaN where there is none.
      high: upper end of the interval.
      ec50: relative EC50 and the ends of its interval; NaN where there is none.
      ic50: absolute IC50 and the ends of its interval; NaN where there is none.
      control: mean response of the negative control and the ends of its band; NaN for none.
      n: what n is, such as "n = 3 experiments, 96 wells".
      note: the answer in words where there is no EC50, such as "no effect within the doses".
    """

    name: str
    unit: str
    doses: Num[np.ndarray, " N"]
    responses: Num[np.ndarray, " N"]
    grid: Float[np.ndarray, " G"]
    fit: Float[np.ndarray, " G"]
    low: Float[np.ndarray, " G"]
    high: Float[np.ndarray, " G"]
    ec50: tuple[float, float, float] = _NONE
    ic50: tuple[float, float, float] = _NONE
    control: tuple[float, float, float] = _NONE
    n: str = ""
    note: str = ""


class Growth(NamedTuple):
    """Sizes of one condition's wells over time.

    Attributes:
      name: the condition.
      times: the times, in rising order.
      sizes: size of each well at each time; NaN where it is missing.
      mean: mean size at each time, as the caller defines it; NaN where there is none.
      fit_times: times of the fitted curve; empty where there is no fit.
      fit: fitted size at each of these times.
      n: what n is, such as "n = 4 wells".
      note: the answer in words, such as "doubling time 1.9 d [1.7, 2.1]".
    """

    name: str
    times: Num[np.ndarray, " T"]
    sizes: Num[np.ndarray, "W T"]
    mean: Num[np.ndarray, " T"]
    fit_times: Num[np.ndarray, " F"]
    fit: Num[np.ndarray, " F"]
    n: str = ""
    note: str = ""


@svg.looks(journal.SETTINGS)
def dose_curves(
    curves: Sequence[DoseCurve], *, response: str, control_band: str = "negative control, mean ± SD"
) -> svg.Drawn:
    """Draws one panel per compound: every well, means, fitted curve with band, EC50 and IC50.

    All panels have the same vertical axis, so that compounds can be compared.

    Args:
      curves: at least one `DoseCurve`.
      response: name and unit of the response, such as "volume (% of control)".
      control_band: what the band of the control is, for the legend.

    Raises:
      ValueError: there is no curve, or a curve has no dose above 0.
    """
    units = {curve.unit for curve in curves}
    entries = _dose_legend(curves, control_band)
    picture, panels, grid = _panels(
        [(curve.name, _facts(curve)) for curve in curves], entries, sharey=True
    )
    for panel, curve in zip(panels, curves, strict=True):
        _dose_curve(panel, curve, most=5 if grid.columns < 3 else 4)
        if len(units) > 1:
            panel.set_xlabel(f"dose ({curve.unit})")
    panels[0].set_ylim(*_range(curves))
    x = f"dose ({curves[0].unit})" if len(units) == 1 else ""
    journal.label_axes(picture, panels, grid, x=x, y=response)
    return svg.encode_both(picture)


@svg.looks(journal.SETTINGS)
def growth_panels(
    conditions: Sequence[Growth],
    *,
    size: str,
    time: str,
    mean: str = "mean of the wells",
    fit: str = "fit",
    reference: str | None = None,
) -> svg.Drawn:
    """Draws one panel per condition: a thin line per well, their mean, and the fit.

    All panels have the same axes; the size is on a logarithmic axis, where exponential growth is a
    straight line.

    Args:
      conditions: at least one `Growth`.
      size: name and unit of the size, such as "volume (µm³)".
      time: name and unit of the time, such as "time (d)".
      mean: what the mean is, for the legend.
      fit: what the fit is, for the legend.
      reference: name of the condition, such as the control, whose mean is drawn in all panels.

    Raises:
      ValueError: there is no condition, or no size above 0.
    """
    drawn = [each.sizes[each.sizes > 0] for each in conditions]
    if not any(len(sizes) for sizes in drawn):
        raise ValueError("no condition has a size above 0")
    compared = next((c for c in conditions if c.name == reference and len(conditions) > 1), None)
    entries = {
        "a well": lines.Line2D([], [], linewidth=0.7, **_WELL),
        mean: lines.Line2D([], [], **_mean_line(2)),
    }
    if any(len(each.fit) for each in conditions):
        entries[fit] = lines.Line2D([], [], **_FIT)
    if compared is not None:
        name = journal.fitted(compared.name, 30, 1)
        entries[f"mean of {name}"] = lines.Line2D([], [], **_REFERENCE)
    picture, panels, grid = _panels(
        [(each.name, [each.note, each.n]) for each in conditions], entries, sharex=True, sharey=True
    )
    for panel, each in zip(panels, conditions, strict=True):
        panel.plot(each.times, each.sizes.T, linewidth=0.5, **_WELL)
        if compared is not None and each is not compared:
            panel.plot(compared.times, compared.mean, **_REFERENCE)
        panel.plot(each.times, each.mean, **_mean_line(len(each.times)))
        panel.plot(each.fit_times, each.fit, **_FIT)
    low, high = min(s.min() for s in drawn if len(s)), max(s.max() for s in drawn if len(s))
    margin = 1.02 * (high / low) ** 0.05
    panels[0].set(yscale="log", ylim=(low / margin, high * margin))
    for panel in panels:
        journal.label_log(panel.yaxis, low / margin, high * margin)
    panels[0].xaxis.set_major_locator(ticker.MaxNLocator(5 if grid.columns < 3 else 4))
    journal.label_axes(picture, panels, grid, x=time, y=size)
    return svg.encode_both(picture)


_FIT = {"color": journal.VERMILION, "linestyle": (0, (4, 1.5)), "linewidth": 1.1, "zorder": 4}
_REFERENCE = {"color": journal.GREEN, "linestyle": (0, (1, 1)), "linewidth": 1.1}
_CURVE = {"color": journal.BLUE, "linewidth": 1.3}
_BAND = {"facecolor": (journal.BLUE, 0.18), "linewidth": 0}
_CONTROL = {"facecolor": "0.9", "linewidth": 0, "zorder": 0}
_EC50 = {"color": journal.VERMILION, "linestyle": (0, (4, 1.5)), "linewidth": 0.9}
_IC50 = {"color": journal.GREEN, "linestyle": (0, (1, 1)), "linewidth": 1.1}


def _panels(texts, entries, **shared):
    """Makes a figure with a legend and one panel per (name, facts); returns its panels, too."""
    grid = journal.grid(len(texts))
    titles = [journal.title(name, facts, grid.title_mm) for name, facts in texts]
    axes = _ALONE_MM if len(texts) == 1 else _AXES_MM
    height = sum(axes + 8 + title for title in journal.heights_mm(titles, grid.columns))
    picture = journal.blank(
        grid.width_mm, height + 4 + journal.legend_mm(list(entries), grid.width_mm)
    )
    journal.legend(picture, entries, grid.width_mm)
    places = picture.subplots(grid.rows, grid.columns, squeeze=False, **shared).ravel()
    for place in places[len(texts) :]:
        place.remove()
    # Where the place below is empty, the axis still has its labels.
    for panel in places[max(len(texts) - grid.columns, 0) : len(texts)]:
        panel.tick_params(labelbottom=True)
    for panel, title in zip(places, titles, strict=False):
        journal.write_title(panel, title)
    return picture, places[: len(texts)], grid


def _mean_line(points):
    return {
        "color": journal.BLUE,
        "linewidth": 1.2,
        "marker": "o" if points <= 15 else "",
        "markersize": 2.8,
        "zorder": 3,
    }


def _dose_curve(panel, curve, *, most):
    """Draws one compound: control band, wells, means, fit, EC50 and IC50."""
    positive = curve.doses[curve.doses > 0]
    if not len(positive):
        raise ValueError(f"{curve.name}: no dose above 0")
    low, high = positive.min(), positive.max()
    gap = max(_ZERO_SHARE * np.log10(high / low), _ZERO_GAP)
    zero = low / 10**gap if (curve.doses == 0).any() else None
    panel.set_xscale("log")
    left, right = (zero or low) / 10 ** (gap / 3), high * 10 ** (gap / 3)
    panel.set_xlim(left, right)
    mean, *ends = curve.control
    if np.isfinite(ends).all():
        panel.axhspan(*ends, **_CONTROL)
        panel.axhline(mean, color="0.5", linewidth=0.6, zorder=1)
    if np.isfinite(curve.low).any():
        panel.fill_between(curve.grid, curve.low, curve.high, **_BAND)
    panel.plot(curve.grid, curve.fit, **_CURVE)
    at = np.where(curve.doses == 0, zero or low, curve.doses)
    panel.plot(at, curve.responses, **_POINT | _WELL)
    for dose in np.unique(at):
        there = curve.responses[(at == dose) & ~np.isnan(curve.responses)]
        if len(there):
            panel.plot(dose, there.mean(), color="black", zorder=3, **_MEAN)
    for height, estimate, style in ((0.03, curve.ec50, _EC50), (0.075, curve.ic50, _IC50)):
        _dose_line(panel, height, estimate, style, (left, right))
    _dose_axis(panel, zero, low, high, most)


def _dose_line(panel, height, estimate, style, limits):
    """Draws a dose as a line, with its interval as a bar near the axis, cut at the axis' ends."""
    value, low, high = estimate
    if np.isfinite(value) and limits[0] <= value <= limits[1]:
        panel.axvline(value, **style)
    if not (np.isnan(low) or np.isnan(high)):
        ends = np.clip([low, high], *limits)
        bar = {"color": style["color"], "linewidth": 2, "solid_capstyle": "butt", "alpha": 0.6}
        panel.plot(ends, [height] * 2, transform=panel.get_xaxis_transform(), **bar)


def _dose_axis(panel, zero, low, high, most):
    """Labels the doses; the zero dose stands left of a break of the axis."""
    journal.label_log(panel.xaxis, low, high, most)
    if zero is None:
        return
    ticks = [zero, *panel.xaxis.get_major_locator().locs]
    labels = ["0", *panel.xaxis.get_major_formatter().seq]
    panel.xaxis.set_major_locator(ticker.FixedLocator(ticks))
    panel.xaxis.set_major_formatter(ticker.FixedFormatter(labels))
    place = dict(transform=panel.get_xaxis_transform(), clip_on=False, zorder=5)
    middle = np.sqrt(zero * low)
    left, right = panel.get_xlim()
    apart = (right / left) ** 0.009
    panel.plot([middle / apart, middle * apart], [0, 0], color="white", linewidth=2, **place)
    slash = {"marker": [(-1, -2), (1, 2)], "markersize": 5, "linestyle": "none", "color": "black"}
    for x in (middle / apart, middle * apart):
        panel.plot(x, 0, markeredgewidth=0.6, **slash, **place)


def _range(curves):
    """Returns the limits of the responses; they hold 0 where no response is negative."""
    values = np.concatenate([c.responses for c in curves] + [c.fit for c in curves])
    values = np.append(values[np.isfinite(values)], 0)
    low, high = values.min(), values.max()
    margin = 0.05 * (high - low or 1)
    return (low - margin if low < 0 else 0), high + margin


def _facts(curve):
    """Returns the lines below a compound's name."""
    found = [
        _interval_text(name, estimate, curve.unit)
        for name, estimate in (("EC50", curve.ec50), ("IC50", curve.ic50))
    ]
    return [*found, curve.note, curve.n]


def _interval_text(name, estimate, unit):
    value, low, high = estimate
    if np.isnan(value):
        return ""
    if np.isnan(low) or np.isnan(high):
        return f"{name} {value:.3g} {unit}"
    ends = "∞)" if np.isposinf(high) else f"{high:.3g}]"
    return f"{name} {value:.3g} {unit} [{max(low, 0):.3g}, {ends}"


def _dose_legend(curves, control_band):
    entries: dict[str, object] = {
        "a well": lines.Line2D([], [], **_POINT | _WELL),
        "mean of the wells": lines.Line2D([], [], color="black", **_MEAN),
    }
    band = any(np.isfinite(c.low).any() for c in curves)
    if band:
        entries["fit, 95 % interval"] = (patches.Patch(**_BAND), lines.Line2D([], [], **_CURVE))
    elif any(len(c.fit) for c in curves):
        entries["fit"] = lines.Line2D([], [], **_CURVE)
    for name, style, values in (
        ("relative EC50, bar: 95 % interval", _EC50, [c.ec50 for c in curves]),
        ("absolute IC50, bar: 95 % interval", _IC50, [c.ic50 for c in curves]),
    ):
        if np.isfinite([v[0] for v in values]).any():
            entries[name] = lines.Line2D([], [], **style)
    if np.isfinite([c.control[1:] for c in curves]).any():
        entries[control_band] = patches.Patch(**_CONTROL)
    return entries
