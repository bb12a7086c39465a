"""The Hill curve (four-parameter logistic) and its least-squares fit to grouped responses.

The curve is

    y(c) = bottom + (top - bottom) g(c),    g(c) = 1 / (1 + (c / EC50)^h),

with the share g of the response that remains at dose c. `top` is the response without the drug,
the limit at dose 0, and `bottom` the response at infinite dose, also where the response rises with
the dose. For a given EC50 and h the curve is linear in top and bottom. So only EC50 and h are
searched for, and top and bottom follow from a linear regression (variable projection: Golub and
Pereyra 1973).
Replicates at one dose enter by their mean and their number, which changes no fit.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import special

from spheroid_jax.plates import profile

# Bounds of log10 h, and the decades beyond the doses within which EC50 is searched for.
LOG10_HILL = (-1.0, 1.0)
DECADES = 2.0
_LN10 = float(np.log(10))
_GRID_LOCATIONS, _GRID_HILLS, _STARTS = 61, 9, 2


class Groups(NamedTuple):
    """Responses grouped by dose.

    Attributes:
      log10_dose: log10 of the distinct doses, ascending; -inf for dose 0.
      mean: weighted mean response at each dose.
      weight: sum of the weights at each dose; the number of replicates if none is weighted.
      within: weighted sum of squares of the responses about the means of their doses.
      count: number of responses.
    """

    log10_dose: Float[np.ndarray, " D"]
    mean: Float[np.ndarray, " D"]
    weight: Float[np.ndarray, " D"]
    within: float
    count: int


class Constraint(NamedTuple):
    """A linear constraint `of_top` * top + `of_bottom` * bottom = `total` on the curve."""

    of_top: float
    of_bottom: float
    total: float


def remaining(
    log10_dose: Float[np.ndarray, "..."] | float,
    log10_ec50: Float[np.ndarray, "..."] | float,
    hill: Float[np.ndarray, "..."] | float,
) -> Float[np.ndarray, "..."]:
    """Computes the share g = 1 / (1 + (c / EC50)^h) in [0, 1]; a log10 dose of -inf is dose 0."""
    return np.asarray(special.expit(-_LN10 * hill * (log10_dose - log10_ec50)))


def gradient(
    log10_dose: Float[np.ndarray, " N"],
    top: float,
    bottom: float,
    log10_ec50: float,
    hill: float,
) -> Float[np.ndarray, "N 4"]:
    """Computes the derivatives of the curve by top, bottom, log10 EC50 and h."""
    g = remaining(log10_dose, log10_ec50, hill)
    slope = (top - bottom) * _LN10 * g * (1 - g)
    # At dose 0 the slope is 0, and the distance infinite.
    distance = np.where(np.isfinite(log10_dose), log10_dose - log10_ec50, 0.0)
    return np.stack([g, 1 - g, hill * slope, -distance * slope], axis=1)


def group(
    log10_dose: Float[np.ndarray, " N"],
    response: Float[np.ndarray, " N"],
    weight: Float[np.ndarray, " N"] | None = None,
) -> Groups:
    """Groups responses by dose."""
    weight = np.ones_like(response) if weight is None else weight
    distinct, index = np.unique(log10_dose, return_inverse=True)
    total = np.bincount(index, weight)
    mean = np.bincount(index, weight * response) / total
    within = float(np.sum(weight * (response - mean[index]) ** 2))
    return Groups(distinct, mean, total, within, len(response))


def location_bounds(log10_dose: Float[np.ndarray, " D"]) -> tuple[float, float]:
    """Returns the least and greatest log10 EC50 that is searched for."""
    finite = log10_dose[np.isfinite(log10_dose)]
    return float(finite.min() - DECADES), float(finite.max() + DECADES)


def asymptotes(groups: Groups, log10_ec50: float, hill: float) -> Float[np.ndarray, " 2"]:
    """Fits top and bottom for a given EC50 and h."""
    return linear(groups, log10_ec50, hill)[0]


# Called thousands of times per fit: without annotations, so that tests do not check each call.
def linear(groups, log10_ec50, hill, constraint=None):
    """Fits top and bottom for a given EC50 and h, and returns them with the weighted residuals."""
    g = special.expit(-_LN10 * hill * (groups.log10_dose - log10_ec50))
    root = np.sqrt(groups.weight)
    design = np.stack([g, 1 - g], axis=1) * root[:, np.newaxis]
    target = groups.mean * root
    if constraint is None:
        found = np.linalg.lstsq(design, target, rcond=None)[0]
    else:
        normal = np.array(constraint[:2])
        nearest = normal * constraint.total / (normal @ normal)
        along = np.array([-normal[1], normal[0]])
        column = design @ along
        square = column @ column
        step = column @ (target - design @ nearest) / square if square > 0 else 0.0
        found = nearest + step * along
    return found, target - design @ found


def starts(groups: Groups) -> list[Float[np.ndarray, " 2"]]:
    """Returns the best (log10 EC50, log10 h) on a grid, one for each of the best values of h."""
    low, high = location_bounds(groups.log10_dose)
    locations = np.linspace(low, high, _GRID_LOCATIONS)
    hills = np.linspace(*LOG10_HILL, _GRID_HILLS)
    g = remaining(groups.log10_dose, locations[:, None, None], 10 ** hills[:, None])
    explained = _explained(groups, g)
    best = explained.argmax(axis=0)
    order = np.argsort(-explained.max(axis=0), kind="stable")[:_STARTS]
    return [np.array([locations[best[n]], hills[n]]) for n in order]


def minimum(
    groups: Groups,
    begin: list[Float[np.ndarray, " 2"]],
    constraint=lambda log10_ec50, hill: None,
    *,
    precision: float = profile.PRECISION,
) -> profile.Minimum:
    """Fits the curve, optionally under a constraint, from several starts.

    Args:
      groups: the responses.
      begin: starts (log10 EC50, log10 h).
      constraint: function that returns the `Constraint` for a log10 EC50 and an h.
      precision: relative precision of the sum of squares.
    """
    low, high = location_bounds(groups.log10_dose)
    bounds = ((low, LOG10_HILL[0]), (high, LOG10_HILL[1]))
    return profile.minimise(
        lambda p: linear(groups, p[0], 10 ** p[1], constraint(p[0], 10 ** p[1]))[1],
        begin,
        bounds,
        beside=groups.within,
        precision=precision,
    )


def _explained(groups, g):
    """Returns the sum of squares that a regression of the means on g explains, per grid node."""
    weight = groups.weight / groups.weight.sum()
    centred = g - np.sum(weight * g, axis=-1, keepdims=True)
    spread = np.sum(weight * centred**2, axis=-1)
    shared = np.sum(weight * centred * (groups.mean - np.sum(weight * groups.mean)), axis=-1)
    return np.divide(shared**2, spread, out=np.zeros_like(spread), where=spread > 1e-12)
