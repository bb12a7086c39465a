"""How every SVG figure looks, and its bytes.

The same figure is the same bytes in every run, whatever the user's matplotlib
is set to. Text stays text: it can be searched, and read by a screen reader.
"""

import contextlib
import io
import itertools
from typing import NamedTuple

import matplotlib
from matplotlib import figure

_SETTINGS = {
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "figure.titlesize": 10,
    "font.size": 9,
    "grid.color": "0.9",
    "hatch.linewidth": 0.4,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "spheroid_jax",
    # A dollar sign in the name of a folder is a dollar sign.
    "text.parse_math": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


class Style(NamedTuple):
    """What tells a dataset from others, in colour and in gray print."""

    colour: str
    line: str | tuple
    hatch: str | None
    marker: str


# The paper's blue and magenta, then others: Okabe and Ito's colours, but their
# purple darker, for lines on white.
_STYLES = (
    Style("#0072b2", "-", None, "o"),
    Style("#c4599a", (0, (5, 1.5)), "////", "^"),
    Style("#009e73", (0, (1, 1)), "....", "s"),
    Style("#d55e00", (0, (5, 1, 1, 1)), "\\\\\\\\", "D"),
    Style("#56b4e9", (0, (3, 3)), "xxxx", "v"),
    Style("#e69f00", (0, (8, 2, 2, 2)), "----", "P"),
)
TRUTH = "#e69f00"


@contextlib.contextmanager
def looks():
    """Within it, or below it as a decorator, figures have this look."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)  # pyright: ignore
        yield


def blank(width, height):
    """An empty figure that many inches large."""
    return figure.Figure(figsize=(width, height), layout="constrained")


def encode(picture):
    """A figure's SVG as bytes."""
    with io.BytesIO() as file:
        picture.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()


def dataset_styles(models):
    """A style for each dataset, in the order of their first appearance.

    Args:
      models: dict from a label to a dict from a dataset to anything.

    Returns:
      Dict from a dataset to `Style`.

    Raises:
      ValueError: nothing to draw, or more datasets than can be told apart.
    """
    datasets = dict.fromkeys(itertools.chain.from_iterable(models.values()))
    if not 0 < len(datasets) <= len(_STYLES):
        raise ValueError(f"a figure shows 1 to {len(_STYLES)} datasets, not {len(datasets)}")
    return dict(zip(datasets, _STYLES, strict=False))
