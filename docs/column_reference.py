"""Reference page of the columns of `spheroid measure`, made from `spheroid_jax.lab`.

    python -m docs.column_reference

writes `docs/reference/columns.md`. A test fails where the page and the package differ.
"""

import pathlib

from spheroid_jax.lab import wells
from spheroid_jax.report import sheets

PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "reference" / "columns.md"


def page():
    """Returns the page as Markdown."""
    text = sheets.explanation({"measurements.csv": wells.BODY, "images.csv": wells.IMAGE})
    return f"{text}\n`python -m docs.column_reference` makes this page.\n"


if __name__ == "__main__":
    PAGE.write_text(page())
