"""An estimate and its 95 % confidence interval."""

import math
from typing import NamedTuple


class Estimate(NamedTuple):
    """An estimate and the ends of its 95 % confidence interval.

    Attributes:
      value: the estimate; NaN where there is none.
      low: lower end; NaN where there is no interval, -inf where the data do not bound it.
      high: upper end; NaN where there is no interval, inf where the data do not bound it.
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
