"""Style and encoding of all SVG figures, and of their PNG copies.

The same figure has the same bytes in every run, whatever the user's settings of matplotlib are.
Text stays text, which can be searched and read by a screen reader.
"""

import contextlib
import io
import itertools
from collections.abc import Iterable, Mapping
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
    # A dollar sign in a folder's name must not start a formula.
    "text.parse_math": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


class Style(NamedTuple):
    """Colour, line, hatch and marker of one dataset, distinct in gray print too."""

    colour: str
    line: str | tuple
    hatch: str | None
    marker: str


# The paper's blue and magenta come first. The colours are Okabe and Ito's, safe for the
# colour-blind; their purple is darkened for lines on white.
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
def looks(settings: Mapping[str, object] | None = None):
    """Sets the style of figures; a context manager and a decorator.

    Args:
      settings: settings of matplotlib that differ from those of all figures.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS | dict(settings or {}))  # pyright: ignore
        yield


def blank(width: float, height: float) -> figure.Figure:
    """Makes an empty figure; width and height are in inches."""
    return figure.Figure(figsize=(width, height), layout="constrained")


def encode(picture: figure.Figure) -> bytes:
    """Returns a figure as the bytes of an SVG file."""
    with io.BytesIO() as file:
        picture.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()


class Drawn(NamedTuple):
    """One figure as the bytes of an SVG file and of a PNG file."""

    svg: bytes
    png: bytes


def encode_both(picture: figure.Figure) -> Drawn:
    """Returns a figure as SVG, and as PNG at 300 dots per inch."""
    with io.BytesIO() as file:
        picture.savefig(file, format="png", dpi=300, metadata={"Software": None})
        # The panels are laid out: the SVG file has the same layout, and takes half the time.
        picture.set_layout_engine("none")
        return Drawn(encode(picture), file.getvalue())


def dataset_styles(models: Mapping[str, Iterable[str]]) -> dict[str, Style]:
    """Chooses a style for each dataset, in order of appearance.

    Args:
      models: dict from a label to a dict from a dataset to anything.

    Returns:
      dict from dataset to `Style`.

    Raises:
      ValueError: there is no dataset, or there are more datasets than styles.
    """
    datasets = dict.fromkeys(itertools.chain.from_iterable(models.values()))
    if not 0 < len(datasets) <= len(_STYLES):
        raise ValueError(f"a figure shows 1 to {len(_STYLES)} datasets, not {len(datasets)}")
    return dict(zip(datasets, _STYLES, strict=False))
