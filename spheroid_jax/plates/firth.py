"""Logistic regression with Firth's penalty, and its profile likelihood."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy import optimize, special, stats

from spheroid_jax.plates.estimate import Estimate

# Twice the fall of the log-likelihood at the ends of a 95 % profile interval.
DROP = float(stats.chi2.ppf(0.95, 1))
_STEPS = 200
_DOUBLINGS = 60


class Firth(NamedTuple):
    """A logistic regression.

    Attributes:
      coefficients: intercept first, then one coefficient per column of `x`; each with its 95 %
        interval by profile penalised likelihood.
      log_likelihood: penalised log-likelihood at its maximum.
    """

    coefficients: tuple[Estimate, ...]
    log_likelihood: float


def firth_logistic(x: Float[np.ndarray, "N P"], y: Bool[np.ndarray, " N"]) -> Firth:
    """Fits a logistic regression whose likelihood has Firth's penalty.

        logit P(y_i) = b0 + b1 x_i1 + ...,  maximise l(b) + ln det(I(b)) / 2,

    where l is the log-likelihood and I the Fisher information. The estimates are finite also where
    a dose separates all successes from all failures, which is common in small dose groups. For
    one binary x, the penalty adds 1/2 to each cell of the 2 x 2 table.

    The 95 % interval of a coefficient holds all values for which twice the fall of the penalised
    log-likelihood, maximised over the other coefficients, is at most 3.84.

    Raises:
      ValueError: lengths differ, a value of `x` is not finite, or the columns of `x` and the
        intercept are collinear.

    Source: Firth, Biometrika 80, 27, 1993; Heinze and Schemper, Stat. Med. 21, 2409, 2002
    (neither read; the formula is that of the documentation of the R package logistf, whose
    published example `sex2` this function repeats to all digits shown).
    """
    design = _design(x, y)
    scale = np.append(1.0, np.max(np.abs(x), axis=0))
    design = design / scale
    best, top = maximised(design, y, np.eye(design.shape[1]))
    found = []
    for column in range(len(best)):
        others = np.delete(np.eye(len(best)), column, axis=1)

        def fall(value, column=column, others=others):
            fixed = np.where(np.arange(len(best)) == column, value, 0.0)
            return 2 * (top - maximised(design, y, others, offset=design @ fixed)[1]) - DROP

        step = max(abs(best[column]), 1.0) / 4
        ends = (interval_end(fall, best[column], direction * step) for direction in (-1, 1))
        found.append(Estimate(*(float(v / scale[column]) for v in (best[column], *ends))))
    # The penalty of the scaled columns differs by a constant.
    return Firth(tuple(found), top + float(np.sum(np.log(scale))))


def maximised(
    design: Float[np.ndarray, "N P"],
    y: Bool[np.ndarray, " N"],
    directions: Float[np.ndarray, "P K"],
    offset: Float[np.ndarray, " N"] | None = None,
) -> tuple[Float[np.ndarray, " K"], float]:
    """Maximises Firth's penalised log-likelihood over coefficients in a subspace.

    The linear predictor is `offset` + `design` @ `directions` @ g; the penalty is that of all
    columns of the design. Newton's method with the Fisher information, halving steps that fall;
    where that does not end, the simplex method of Nelder and Mead.

    Returns:
      g at the maximum, and the penalised log-likelihood there.
    """
    offset = np.zeros(len(y)) if offset is None else offset
    free = np.zeros(directions.shape[1])
    value = _penalised(design, y, offset)
    for _ in range(_STEPS):
        step = _newton_step(design, y, directions, offset + design @ directions @ free)
        # The Fisher information is no guide to predictors that are more than 5 away.
        step = step / max(1.0, float(np.max(np.abs(design @ directions @ step))) / 5)
        for _ in range(_DOUBLINGS):
            after = _penalised(design, y, offset + design @ directions @ (free + step))
            if after >= value:
                break
            step = step / 2
        else:
            return free, value
        free, gain, value = free + step, after - value, after
        if gain < 1e-13 * max(1.0, abs(value)) and np.max(np.abs(step)) < 1e-8:
            return free, value
    # With two or three units, the information says little about the penalty: the steps do not end.
    found = optimize.minimize(
        lambda g: -_penalised(design, y, offset + design @ directions @ g),
        free,
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
    )
    return found.x, -float(found.fun)


def interval_end(fall, start: float, step: float) -> float:
    """Finds where a function that is negative at the start becomes positive.

    Args:
      fall: function of one value.
      start: value at which the function is negative.
      step: first step, which then doubles; its sign is the direction.

    Returns:
      The value; inf or -inf where the function stays negative.
    """
    near = start
    for _ in range(_DOUBLINGS):
        far = start + step
        if fall(far) > 0:
            return float(optimize.brentq(fall, near, far, xtol=1e-12, rtol=1e-10))
        near, step = far, 2 * step
    return math.copysign(math.inf, step)


def _design(x, y):
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)} values")
    if not np.all(np.isfinite(x)):
        raise ValueError("x must be finite")
    design = np.column_stack([np.ones(len(x)), x])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("the columns of x and the intercept are collinear")
    return design


def _penalised(design, y, predictor):
    weight = special.expit(predictor) * special.expit(-predictor)
    sign, log_det = np.linalg.slogdet(design.T @ (weight[:, np.newaxis] * design))
    if sign <= 0:
        return -math.inf
    likelihood = np.sum(special.log_expit(np.where(y, predictor, -predictor)))
    return float(likelihood + log_det / 2)


def _newton_step(design, y, directions, predictor):
    chance = special.expit(predictor)
    weight = chance * special.expit(-predictor)
    information = design.T @ (weight[:, np.newaxis] * design)
    hat = weight * np.sum(design * np.linalg.solve(information, design.T).T, axis=1)
    score = design.T @ (y - chance + hat * (0.5 - chance))
    return np.linalg.solve(directions.T @ information @ directions, directions.T @ score)
