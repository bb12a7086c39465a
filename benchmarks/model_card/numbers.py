"""Numbers as JSON and as cells of tables: NaN is null in JSON and a dash in a table."""

import math

import numpy as np

from spheroid_jax.report.tables import Cell


def plain(value):
    """Returns a value in JSON's types; NaN becomes None."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def cell(value, *, scale=100, digits=1):
    """Returns the cell of a number, by default of a share in percent; None is a dash."""
    return Cell(math.nan if value is None else scale * value, digits=digits)
