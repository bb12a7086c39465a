"""How often intervals of comparisons hold the truth, and tests of equal plates find something.

    python -m benchmarks.comparison_coverage --runs 1000

prints two tables: the share of 95 % intervals that hold the true value, and the share of p-values
below 0.05 where there is no effect, which should be at most 5 %.
"""

import argparse

import numpy as np
from scipy import stats

from spheroid_jax.plates import comparisons, quality

SIZES = (3, 3), (4, 8), (8, 8), (20, 20)
SHIFT = 1.5
DELTA = 2 * stats.norm.cdf(SHIFT / np.sqrt(2)) - 1
ROWS, COLUMNS = np.indices((8, 12)).reshape(2, -1)


def _compared(rng, sizes, test, shift):
    groups = {"drug": rng.normal(shift, 1, sizes[0]), "control": rng.normal(0, 1, sizes[1])}
    (found,) = comparisons.compare(groups, control="control", test=test)
    return found


def _holds(estimate, truth):
    return estimate.low <= truth <= estimate.high


def _intervals(rng, sizes):
    welch, ranks = (_compared(rng, sizes, test, SHIFT) for test in ("welch", "mann-whitney"))
    return {
        "difference of means": _holds(welch.change, SHIFT),
        "Hedges' g": _holds(welch.effect, SHIFT),
        "Hodges and Lehmann's shift": _holds(ranks.change, SHIFT),
        "Cliff's delta": _holds(ranks.effect, DELTA),
    }


def _alarms(rng, sizes):
    tests = {"Welch": "welch", "Mann-Whitney": "mann-whitney"}
    return {name: _compared(rng, sizes, test, 0).p < 0.05 for name, test in tests.items()}


def _plate(rng):
    """A plate of 96 wells: doses over pairs of columns, CV 15 %, wells refused at random."""
    sizes = 1.2 ** -(COLUMNS // 2) * rng.lognormal(0, 0.15, 96)
    conditions = list(COLUMNS // 2)
    refused = rng.uniform(size=96) < 0.05
    sizes[refused] = np.nan
    return {
        "edge effect": quality.edge_effect(sizes, conditions, ROWS, COLUMNS, shape=(8, 12)).p,
        "drift over rows": quality.drift(sizes, conditions, ROWS).p,
        "refused wells by dose": quality.refused_by_dose(COLUMNS // 2, refused).p,
    }


def _table(heading, draws, runs):
    print(f"| {' | '.join(heading)} |\n|{'---|' * len(heading)}")
    for name, draw in draws.items():
        rng = np.random.default_rng(0)
        found = [draw(rng) for _ in range(runs)]
        for quantity in found[0]:
            share = 100 * np.mean([one[quantity] for one in found])
            print(f"| {name} | {quantity} | {share:.1f} % |")


def main():
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="simulated experiments per design")
    runs = parser.parse_args().runs
    named = {f"n = {m} and {n}": (m, n) for m, n in SIZES}
    _table(
        ("replicates", "quantity", "intervals that hold the truth"),
        {name: lambda rng, s=sizes: _intervals(rng, s) for name, sizes in named.items()},
        runs,
    )
    print()
    alarms = {name: lambda rng, s=sizes: _alarms(rng, s) for name, sizes in named.items()}
    alarms["plate of 96 wells"] = lambda rng: {k: p < 0.05 for k, p in _plate(rng).items()}
    _table(("no effect", "test", "p below 0.05"), alarms, runs)


if __name__ == "__main__":
    main()
