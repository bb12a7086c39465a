"""Effect sizes of two groups: Hedges' g, Cliff's delta, and Hodges and Lehmann's shift."""

import math

import numpy as np
from jaxtyping import Float
from scipy import special, stats

from spheroid_jax.plates.estimate import Estimate

_TAILS = 0.025, 0.975
# Above, the noncentral t distribution is that of a chi variable alone, to about 1 %.
_LARGEST_T = 37.0
# Above, the distribution of U is taken as normal.
_EXACT_PAIRS = 2500


def hedges_g(x: Float[np.ndarray, " M"], y: Float[np.ndarray, " N"]) -> Estimate:
    """Computes Hedges' g, the standardized difference of means x - y without small-sample bias.

        g = J(f) (mean_x - mean_y) / s,   J(f) = Gamma(f / 2) / (sqrt(f / 2) Gamma((f - 1) / 2)),

    where s is the pooled standard deviation with f = M + N - 2 degrees of freedom. The 95 %
    interval is that of the noncentral t distribution, exact for normal values of equal variance.

    Source: L. Hedges, J. Educ. Stat. 6, 107, 1981 (formulas as in the R packages lrstat and
    effectsize).

    Args:
      x: at least 2 values.
      y: at least 2 values; not all values of both groups are the same as their mean.
    """
    m, n = len(x), len(y)
    degrees = m + n - 2
    pooled = math.sqrt(((m - 1) * np.var(x, ddof=1) + (n - 1) * np.var(y, ddof=1)) / degrees)
    d = (np.mean(x) - np.mean(y)) / pooled
    root = math.sqrt(m * n / (m + n))
    log_gammas = special.gammaln(degrees / 2) - special.gammaln((degrees - 1) / 2)
    correction = math.exp(log_gammas) / math.sqrt(degrees / 2)
    low, high = _noncentrality(root * d, degrees)
    return Estimate(float(correction * d), low / root, high / root)


def cliffs_delta(x: Float[np.ndarray, " M"], y: Float[np.ndarray, " N"]) -> Estimate:
    """Computes Cliff's delta, P(x > y) - P(x < y), the rank-biserial correlation of two groups.

    Delta is 2 U / (M N) - 1, in [-1, 1]. The 95 % interval is the asymmetric one of Feng and Cliff,
    with the t distribution of M + N - 2 degrees of freedom.

    Source: N. Cliff, Psychol. Bull. 114, 494, 1993; D. Feng and N. Cliff, J. Mod. Appl. Stat.
    Methods 3, 322, 2004 (formulas as in the R package orddom).

    Args:
      x: at least 2 values.
      y: at least 2 values.
    """
    signs = np.sign(x[:, np.newaxis] - y)
    m, n = signs.shape
    delta = float(signs.mean())
    t = float(stats.t.ppf(_TAILS[1], m + n - 2))
    if abs(delta) == 1:  # No variance can be estimated.
        end = max((min(m, n) - t**2) / (min(m, n) + t**2), -1)
        return Estimate(delta, *sorted((delta, delta * end)))
    sum_of_squares = (
        n**2 * np.sum((signs.mean(axis=1) - delta) ** 2)
        + m**2 * np.sum((signs.mean(axis=0) - delta) ** 2)
        - np.sum((signs - delta) ** 2)
    )
    variance = sum_of_squares / (m * n * (m - 1) * (n - 1))
    variance = max(variance, (1 - delta**2) / (m * n - 1))
    half = t * math.sqrt(variance * ((1 - delta**2) ** 2 + t**2 * variance))
    centre, scale = delta - delta**3, 1 - delta**2 + t**2 * variance
    return Estimate(delta, float((centre - half) / scale), float((centre + half) / scale))


def shift(x: Float[np.ndarray, " M"], y: Float[np.ndarray, " N"]) -> Estimate:
    """Computes Hodges and Lehmann's shift, the median of all differences x_i - y_j.

    The 95 % interval holds the shifts that Mann and Whitney's test does not reject. It is not
    bounded, (-inf, inf), where no test of so few values can reject: for 3 and 3 values.

    Source: M. Hollander and D. Wolfe, Nonparametric Statistical Methods, 1999 (as in SAS NPAR1WAY).

    Args:
      x: at least 1 value.
      y: at least 1 value.
    """
    differences = np.sort((x[:, np.newaxis] - y).ravel())
    rank = _critical_u(len(x), len(y))
    low, high = (differences[rank - 1], differences[-rank]) if rank > 0 else (-math.inf, math.inf)
    return Estimate(float(np.median(differences)), float(low), float(high))


def _noncentrality(t, degrees):
    """Returns the 95 % interval of the noncentrality, given the observed t."""
    if abs(t) <= _LARGEST_T:
        high, low = (float(special.nctdtrinc(degrees, tail, t)) for tail in _TAILS)
        return low, high
    ends = [float(t * math.sqrt(stats.chi2.ppf(tail, degrees) / degrees)) for tail in _TAILS]
    return min(ends), max(ends)


def _critical_u(m, n):
    """Returns the largest k with P(U <= k - 1) <= 2.5 %, or 0."""
    if m * n > _EXACT_PAIRS:
        sd = math.sqrt(m * n * (m + n + 1) / 12)
        return max(math.floor(m * n / 2 - stats.norm.ppf(_TAILS[1]) * sd), 0)
    # The number of arrangements by U is the Gaussian binomial coefficient.
    counts = [1] + [0] * (m * n)
    for i in range(1, n + 1):
        for u in range(m * n, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, m * n + 1):
            counts[u] += counts[u - i]
    cumulated = np.cumsum(np.array(counts, object)) / math.comb(m + n, n)
    return int(np.sum(cumulated.astype(float) <= _TAILS[0]))
