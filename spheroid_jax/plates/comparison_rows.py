"""Rows of comparisons.csv: each condition against the control, all pairs if asked for, all at once.

Each cell line is a family of its own: Holm's adjustment counts the comparisons of one cell line.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from spheroid_jax.plates import comparisons
from spheroid_jax.plates.comparisons import Comparison
from spheroid_jax.plates.conditions import Condition, Times, families, sizes_of
from spheroid_jax.plates.options import PlateOptions
from spheroid_jax.plates.rows import ends, shown
from spheroid_jax.report.sheets import Column

COMPARISONS = (
    Column("family", "against control, all pairs, or all conditions at once"),
    Column("cell_line", "from the map"),
    Column("first", "condition"),
    Column("second", "condition that it is compared with"),
    Column("n_first", "number of replicates"),
    Column("n_second", "number of replicates"),
    Column("ratio", "first over second, of sizes at the time of comparison"),
    Column("ratio_low", "lower end of its 95 % interval"),
    Column("ratio_high", "upper end of its 95 % interval"),
    Column("effect_size", "Hedges' g of ln size, or Cliff's delta"),
    Column("effect_size_low", "lower end of its 95 % interval"),
    Column("effect_size_high", "upper end of its 95 % interval"),
    Column("test", "Welch, Mann-Whitney, Welch's ANOVA or Kruskal-Wallis"),
    Column("statistic", "F or H of all conditions at once"),
    Column("p", "two-sided p-value"),
    Column("p_holm", "the same, adjusted by Holm's method over the family and cell line"),
    Column("replicates", "what n counts"),
    Column("note", "why there is no p"),
)
_TESTS = {"welch": ("Welch", "Welch's ANOVA"), "mann-whitney": ("Mann-Whitney", "Kruskal-Wallis")}


def of_conditions(
    conditions: Sequence[Condition], times: Times, options: PlateOptions
) -> Iterator[dict[str, Any]]:
    """Yields the rows, cell line by cell line.

    Args:
      conditions: results of all conditions.
      times: times of the analysis.
      options: choices; `pairs` adds all pairs.
    """
    pair, whole = _TESTS[options.test]
    for family in families(conditions):
        line = family[0].group.key.cell_line
        for condition in family:
            if condition.comparison is not None:
                yield _row("against control", line, condition.comparison, pair)
        sizes, units = sizes_of(family, times.at)
        choices: dict[str, Any] = {"units": units, "test": options.test, "scale": "ratio"}
        if options.pairs:
            for each in comparisons.compare(sizes, control=None, **choices):
                yield _row("all pairs", line, each, pair)
        found = comparisons.overall(sizes, **choices)
        yield {
            "family": "all conditions at once",
            "cell_line": line,
            "test": whole,
            "statistic": shown(found.statistic),
            "p": shown(found.p),
            "note": found.note or f"{found.conditions} conditions",
        }


def _row(family: str, line: str, found: Comparison, test: str) -> dict[str, Any]:
    return {
        "family": family,
        "cell_line": line,
        "first": found.first,
        "second": found.second,
        "n_first": found.n_first,
        "n_second": found.n_second,
        **ends("ratio", found.change),
        **ends("effect_size", found.effect),
        "test": test,
        "p": shown(found.p),
        "p_holm": shown(found.p_holm),
        "replicates": found.replicates,
        "note": found.note,
    }
