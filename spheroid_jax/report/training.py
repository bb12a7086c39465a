"""Figures of training curves, as SVG."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import ticker

from spheroid_jax.report import curves, svg

_LABEL_CHARACTERS = 18


class _Quantity(NamedTuple):
    """A metric's title, its factor to the unit drawn, and settings of its axis."""

    title: str
    factor: float = 1.0
    axis: dict = {}


_PERCENT = {"ylim": (0, 100), "yticks": (0, 25, 50, 75, 100)}
# Panels from left to right; the panels of the adversary come last.
_QUANTITIES = {
    "cross_entropy": _Quantity("cross-entropy", axis={"yscale": "log"}),
    "validation/mean": _Quantity("validation F (%)", 100, _PERCENT),
    "adversarial_loss": _Quantity("adversarial loss", axis={"yscale": "log"}),
    "adversary_accuracy": _Quantity("adversary right (%)", 100, _PERCENT),
    "lambda": _Quantity("λ"),
}
# Accuracy in percent of an adversary that guesses.
_CHANCE = 50
_FOLD, _MEDIAN = "#56b4e9", "#0b3c5d"
_DASHED = {"color": "0.3", "linestyle": "--", "linewidth": 0.9}
_ENDED = {"color": "#d55e00", "marker": "x", "linestyle": "none", "zorder": 3}


@svg.looks()
def training_curves(runs: Mapping[str, Sequence[Mapping[str, curves.Curve]]]) -> bytes:
    """Draws one row per run and one panel per quantity.

    Thin lines are the folds, and a bold line is their median. A run that was trained without an
    adversary has no panels for the adversary.

    Args:
      runs: dict from a run's label to its folds' curves, each as returned by `curves.by_metric`.
        Metrics that are not in `_QUANTITIES` are not drawn.

    Returns:
      The bytes of an SVG file.

    Raises:
      ValueError: a run has nothing to draw.
    """
    present = {label: _quantities(folds) for label, folds in runs.items()}
    bare = [label for label, names in present.items() if not names]
    if bare or not runs:
        raise ValueError(f"no training curves of {', '.join(bare) or 'any'}")
    names = [n for n in _QUANTITIES if any(n in p for p in present.values())]
    picture = svg.blank(2.1 * len(names) + 0.4, 1.55 * len(runs) + 0.8)
    grid = picture.add_gridspec(len(runs), len(names))
    drawn = {name: [] for name in names}  # Panels, from the top.
    for row, (label, folds) in enumerate(runs.items()):
        for name in present[label]:
            panel = picture.add_subplot(
                grid[row, names.index(name)],
                sharex=picture.axes[0] if picture.axes else None,
                sharey=drawn[name][0] if drawn[name] else None,
            )
            drawn[name].append(panel)
            _folds(panel, name, [fold[name] for fold in folds if name in fold])
        first = drawn[present[label][0]][-1]
        wrapped = textwrap.fill(label, _LABEL_CHARACTERS)
        first.set_ylabel(wrapped, weight="bold")
    _label_columns(drawn)
    _explain(picture, columns=2 if len(names) == 2 else 4)
    return svg.encode(picture)


def _quantities(folds):
    """Returns the names of the quantities that a run has, from left to right."""
    return [name for name in _QUANTITIES if any(name in fold for fold in folds)]


def _label_columns(drawn):
    """Writes titles above the columns and steps below them."""
    for name, panels in drawn.items():
        panels[0].set_title(_QUANTITIES[name].title)
        panels[-1].set_xlabel("step")
        for panel in panels[:-1]:
            panel.tick_params(labelbottom=False)
        # Shared by the column, whose range is known only now.
        if panels[0].get_yscale() == "log":
            _label_logarithmic(panels[0])
    # All panels share this axis, whose end is known only after drawing.
    shared = panels[-1]
    shared.set_xlim(left=0)
    shared.xaxis.set_major_locator(ticker.MaxNLocator(3))


def _explain(picture, *, columns):
    """Adds a legend that names each kind of line once."""
    entries = {
        text: handle
        for panel in picture.axes
        for handle, text in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    picture.legend(entries.values(), entries, loc="outside upper center", ncols=columns)


def _folds(panel, name, folds):
    """Draws one quantity of one run."""
    _, factor, axis = _QUANTITIES[name]
    last = max(steps[-1] for steps, _ in folds)
    for steps, values in folds:
        values = factor * np.asarray(values)
        panel.plot(steps, values, color=_FOLD, linewidth=0.6, label="a fold")
        if steps[-1] < last:
            panel.plot(steps[-1], values[-1], label="fold that ended early", **_ENDED)
    steps, values = curves.median_curve(folds)
    panel.plot(steps, factor * values, color=_MEDIAN, linewidth=1.4, label="median of the folds")
    if name == "adversary_accuracy":
        panel.axhline(_CHANCE, label="adversary cannot tell", **_DASHED)
    panel.set(**axis)
    panel.grid()


def _label_logarithmic(panel):
    """Labels a logarithmic axis so sparsely that the labels do not overlap."""
    low, high = panel.get_ylim()
    decades = np.log10(high / low)
    if decades < 0.7:  # Numbers such as 1, 2 and 5 may all lie outside.
        locator = ticker.MaxNLocator(3)
    elif decades < 2.2:
        locator = ticker.LogLocator(subs=(1, 2, 5))
    else:
        locator = ticker.LogLocator(numticks=6)
    panel.yaxis.set_major_locator(locator)
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_locator(ticker.NullLocator())
