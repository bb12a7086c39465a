"""Figures of F-scores on the test partition, as SVG.

`models` maps each model's label to a dict from dataset to F-scores, (folds, images) in [0, 1]. The
figures show F-scores in percent.
"""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib import lines, patches

from spheroid_jax.report import curves, svg

# F-scores by model and dataset.
Models = Mapping[str, Mapping[str, Float[np.ndarray, "_folds _images"]]]

_PANELS_A_ROW = 4
_TITLE_CHARACTERS = 24
_LABEL_CHARACTERS = 28
_BINS = 100


@svg.looks()
def intervals(models: Models) -> bytes:
    """Draws the percentage of images above each F-score (paper, figure 5).

    Each model has a panel, with a line for the median of the folds and a band from the lowest to
    the highest fold.

    Args:
      models: F-scores by model and dataset, as the module describes.

    Returns:
      The bytes of an SVG file.
    """
    styles = svg.dataset_styles(models)
    columns = min(len(models), _PANELS_A_ROW)
    rows = -(-len(models) // columns)
    picture = svg.blank(max(2.1 * columns + 0.5, 3.6), 2.1 * rows + 0.8)
    first = picture.add_subplot(rows, columns, 1)
    for n, (label, datasets) in enumerate(models.items()):
        panel = (
            first
            if n == 0
            else picture.add_subplot(rows, columns, n + 1, sharex=first, sharey=first)
        )
        panel.set_title(textwrap.fill(label, _TITLE_CHARACTERS))
        panel.tick_params(labelleft=n % columns == 0, labelbottom=n + columns >= len(models))
        panel.grid()
        for dataset, scores in datasets.items():
            _interval(panel, scores, styles[dataset])
    first.set(xlim=(0, 100), ylim=(0, 100), xticks=(0, 25, 50, 75, 100))
    first.set_xticklabels(["0", "", "50", "", "100"])
    picture.supxlabel("F-score (%)", fontsize="medium")
    picture.supylabel("images with a higher F-score (%)", fontsize="medium")
    handles = [
        (_band_handle(style), lines.Line2D([], [], **_line(style))) for style in styles.values()
    ]
    picture.legend(
        handles,  # pyright: ignore[reportArgumentType]  (a tuple: both are drawn)
        [f"{dataset}: median, range of folds" for dataset in styles],
        loc="outside upper center",
        ncols=len(styles) if columns > 2 else 1,
        handlelength=3.2,
    )
    return svg.encode(picture)


@svg.looks()
def tails(models: Models) -> bytes:
    """Draws each image's F-score, averaged over the folds, with failed images in darker colour.

    The few images that fail are what harms a screen, more than a low mean. So the images below
    `curves.USABLE_F` stand out, and their percentage is written beside them.

    Args:
      models: F-scores by model and dataset, as the module describes.

    Returns:
      The bytes of an SVG file.
    """
    styles = svg.dataset_styles(models)
    strips = sum(len(datasets) for datasets in models.values())
    picture = svg.blank(7, 0.34 * strips + 0.42 * len(models) + 0.7)
    panels = picture.subplots(
        len(models),
        1,
        sharex=True,
        squeeze=False,
        height_ratios=[len(datasets) for datasets in models.values()],
    )[:, 0]
    for panel, (label, datasets) in zip(panels, models.items(), strict=True):
        panel.set_title(label, loc="left", weight="bold")
        panel.axvline(100 * curves.USABLE_F, color="0.3", linewidth=0.8, linestyle="--")
        for row, (dataset, scores) in enumerate(datasets.items()):
            _strip(panel, row, curves.image_means(scores), styles[dataset])
        panel.set_yticks(range(len(datasets)), datasets)
        panel.set_ylim(len(datasets) - 0.5, -0.5)
        panel.tick_params(left=False, bottom=panel is panels[-1])
        panel.spines["left"].set_visible(False)
        panel.spines["bottom"].set_color("0.7")
    _beside(panels[0], (1, "axes fraction"), f"below {100 * curves.USABLE_F:.0f} %", va="bottom")
    panels[-1].set(xlim=(-1, 101))
    panels[-1].set_xlabel("F-score of an image, mean over the folds (%)")
    return svg.encode(picture)


@svg.looks()
def lambda_study(schedules: Mapping[str, Mapping[str, Sequence[float] | np.ndarray]]) -> bytes:
    """Draws the mean F-score of each fold under each schedule of lambda.

    Each fold has a dot, or a cross if it diverged; a bar shows the mean of the other folds.

    Args:
      schedules: dict from a schedule's label to a dict from dataset to mean F-scores, (folds,) in
        [0, 1]; NaN where the fold diverged.

    Returns:
      The bytes of an SVG file.
    """
    styles = svg.dataset_styles(schedules)
    picture = svg.blank(7, 0.24 * len(schedules) * (len(styles) + 1) + 1.1)
    failed, scored = picture.subplots(1, 2, sharey=True, width_ratios=(1, 5))
    for row, datasets in enumerate(schedules.values()):
        for n, (dataset, style) in enumerate(styles.items()):
            place = row + (n - (len(styles) - 1) / 2) / (len(styles) + 1)
            values = 100 * np.asarray(datasets.get(dataset, ()), float)
            diverged = np.isnan(values)
            _folds(scored, place, values[~diverged], style)
            failed.plot(
                np.arange(diverged.sum()) + 1,
                np.full(diverged.sum(), place),
                **_marker(style) | {"marker": "x", "markersize": 5},
            )
    most = max(len(v) for d in schedules.values() for v in d.values())
    failed.set(xlim=(0.3, most + 0.7), xticks=[], xlabel="diverged")
    labels = [textwrap.fill(label, _LABEL_CHARACTERS) for label in schedules]
    failed.set_yticks(range(len(schedules)), labels)
    failed.set_ylim(len(schedules) - 0.5, -0.5)
    scored.tick_params(left=False)
    scored.spines["left"].set_visible(False)
    scored.set_xlabel("F-score (%): a fold's mean, bar at the folds' mean")
    scored.grid(axis="x")
    for panel in (failed, scored):
        for edge in np.arange(1, len(schedules)) - 0.5:
            panel.axhline(edge, color="0.8", linewidth=0.6)
    picture.legend(
        [lines.Line2D([], [], **_marker(style)) for style in styles.values()],
        list(styles),
        loc="outside upper center",
        ncols=len(styles),
    )
    return svg.encode(picture)


def _interval(panel, f_scores, style):
    """Draws one dataset's band and line."""
    interval = curves.percentage_above(f_scores)
    thresholds = 100 * curves.THRESHOLDS
    panel.fill_between(thresholds, interval.minimum, interval.maximum, **_band(style))
    # Clipping would cut the line in half where it runs along the frame.
    panel.plot(thresholds, interval.median, clip_on=False, **_line(style))


def _strip(panel, row, f_scores, style):
    """Draws one dataset's images as dots around the height `row`."""
    failing = f_scores < curves.USABLE_F
    heights = row + 0.4 * _swarm(f_scores)
    for chosen, alpha, size in ((~failing, 0.6, 3), (failing, 1, 4)):
        panel.plot(
            100 * f_scores[chosen],
            heights[chosen],
            alpha=alpha,
            **_marker(style) | {"markersize": size, "markeredgewidth": 0},
        )
    share = f"{100 * failing.mean():.1f} %"
    _beside(panel, (row, "data"), share, va="center")


def _beside(panel, height, text, *, va):
    """Writes text to the right of a panel; the layout makes room for the text."""
    y, unit = height
    panel.annotate(text, (1.01, y), xycoords=("axes fraction", unit), va=va, fontsize="small")


def _swarm(values):
    """Returns heights in [-1, 1] that keep dots of similar values apart."""
    bins = np.minimum((values * _BINS).astype(int), _BINS - 1)
    most = np.bincount(bins).max()
    heights = np.empty(len(values))
    for n in np.unique(bins):
        inside = np.flatnonzero(bins == n)
        heights[inside] = np.arange(len(inside)) - (len(inside) - 1) / 2
    # Where few values lie together, their dots stay near the middle.
    return heights * 2 / max(most, 8)


def _folds(panel, place, values, style):
    """Draws the folds that did not diverge, and their mean."""
    panel.plot(values, np.full(len(values), place), **_marker(style))
    if len(values):
        panel.plot(
            [values.mean()] * 2, [place - 0.13, place + 0.13], color=style.colour, linewidth=2.2
        )


def _line(style):
    return {
        "color": style.colour,
        "linestyle": style.line,
        "linewidth": 1.6,
        "solid_capstyle": "butt",
    }


def _marker(style):
    return {"color": style.colour, "marker": style.marker, "linestyle": "none", "markersize": 4}


def _band(style):
    return {
        "facecolor": (style.colour, 0.22),
        "edgecolor": (style.colour, 0.6),
        "hatch": style.hatch,
        "linewidth": 0,
    }


def _band_handle(style):
    return patches.Patch(**_band(style))
