"""Mean over biological or technical replicates, with the number and kind of replicates."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from spheroid_jax.evaluation import statistics
from spheroid_jax.plates.estimate import Estimate


class Summary(NamedTuple):
    """A mean over replicates.

    Attributes:
      mean: mean with its 95 % t interval; no interval for one replicate.
      sd: standard deviation of the replicates.
      n: number of replicates.
      unit: "experiments" or "wells".
    """

    mean: Estimate = Estimate()
    sd: float = math.nan
    n: int = 0
    unit: str = "wells"

    @property
    def count(self) -> str:
        """The number with its noun, "3 experiments"."""
        return f"{self.n} {self.unit if self.n != 1 else self.unit.removesuffix('s')}"


def summarise(values: Float[np.ndarray, " N"], experiments: Sequence[str]) -> Summary:
    """Averages values over experiments where there are several, else over wells.

    Wells are technical replicates and experiments biological ones: with several experiments, the
    values are averaged within each experiment first, and n is the number of experiments.

    Args:
      values: value of each well; NaN is left out.
      experiments: experiment of each well.
    """
    known = ~np.isnan(values)
    values, names = values[known], np.asarray(experiments, object)[known]
    distinct = sorted(set(names))
    unit = "experiments" if len(distinct) > 1 else "wells"
    if unit == "experiments":
        values = np.array([values[names == name].mean() for name in distinct])
    if not len(values):
        return Summary(unit=unit)
    if len(values) == 1:
        return Summary(Estimate(float(values[0])), math.nan, 1, unit)
    bounds = (-math.inf, math.inf)
    mean = statistics.t_interval(values[np.newaxis], range(len(values)), bounds=bounds)
    return Summary(Estimate(*mean), float(np.std(values, ddof=1)), len(values), unit)
