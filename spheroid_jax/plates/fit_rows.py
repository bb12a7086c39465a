"""Rows of fits.csv: one row per fitted quantity, with its interval, n and note."""

import math
from collections.abc import Iterator
from typing import Any

from spheroid_jax.plates.conditions import Condition
from spheroid_jax.plates.drugs import Drug
from spheroid_jax.plates.estimate import Estimate
from spheroid_jax.plates.rows import ends, shown
from spheroid_jax.report.sheets import Column

FITS = (
    Column("cell_line", "from the map"),
    Column("treatment", "from the map"),
    Column("concentration", "of a condition's fit; empty for a fit over all doses"),
    Column("concentration_unit", "from the map"),
    Column("experiment", "of a fit to one experiment; empty for a fit to all wells"),
    Column("fit", "which curve or estimate"),
    Column("quantity", "which of its quantities"),
    Column("value", "the estimate; empty where there is none"),
    Column("value_low", "lower end of its 95 % interval; -inf where the data do not bound it"),
    Column("value_high", "upper end of its 95 % interval; inf where the data do not bound it"),
    Column("unit", "unit of the quantity"),
    Column("n", "number of points, wells or experiments behind it"),
    Column("note", "what limits the estimate, or why there is none"),
)


def of_condition(condition: Condition, unit: str) -> Iterator[dict[str, Any]]:
    """Yields the fits of one condition: growth models and the speed of the radius.

    Args:
      condition: the condition.
      unit: unit of the sizes.
    """
    key = condition.group.key
    place = {
        "cell_line": key.cell_line,
        "treatment": key.treatment or key.role,
        "concentration": shown(key.concentration),
        "concentration_unit": key.unit,
    }
    if condition.rate is not None:
        rate = condition.rate
        row = {**place, "fit": "regression of ln size", "n": rate.count, "note": rate.note}
        yield row | _cells("rate_per_day", rate.rate_per_day, "1/day")
        yield row | _cells("doubling_days", rate.doubling_days, "day")
    for fit in condition.fits:
        row = {**place, "fit": f"growth: {fit.model}", "n": fit.count, "note": fit.note}
        yield row | _cells("size_0", fit.size_0, unit)
        yield row | _cells("rate_per_day", fit.rate_per_day, "1/day")
        yield row | _cells("initial_rate_per_day", fit.initial_rate_per_day, "1/day")
        if fit.model != "exponential":
            yield row | _cells("size_max", fit.size_max, unit)
        yield row | _cells("aicc", Estimate(fit.aicc), "")
        yield row | _cells("akaike_weight", Estimate(fit.weight), "")
    if condition.radius is not None:
        radius = condition.radius
        row = {**place, "fit": "linear radius", "n": radius.count, "note": radius.note}
        length = unit[:2]
        yield row | _cells("speed_per_day", radius.um_per_day, f"{length}/day")


def of_drug(drug: Drug) -> Iterator[dict[str, Any]]:
    """Yields the fits of one drug: dose response, GR, areas, and the dose that controls half."""
    place = {
        "cell_line": drug.cell_line,
        "treatment": drug.treatment,
        "concentration_unit": drug.unit,
    }
    for experiment, fit in {"": drug.response, **drug.by_experiment}.items():
        row = {**place, "experiment": experiment, "fit": "dose response", "n": fit.n}
        row |= {"note": fit.note}
        yield row | _cells("ec50", fit.ec50, drug.unit)
        yield row | _cells("ic50", fit.ic50, drug.unit) | {"note": fit.ic50_note or fit.note}
        yield row | _cells("top", fit.top, "% of control")
        yield row | _cells("bottom", fit.bottom, "% of control")
        yield row | _cells("hill", fit.hill, "")
        yield row | _cells("p_against_flat", Estimate(fit.p), "")
    growths = {} if drug.gr is None else {"": drug.gr, **drug.gr_by_experiment}
    for experiment, fit in growths.items():
        row = {**place, "experiment": experiment, "fit": "GR", "n": fit.n, "note": fit.note}
        for name in ("gr50", "grmax", "gec50", "grinf", "gr_aoc", "h_gr"):
            dosed = name in ("gr50", "gec50")
            yield row | _cells(name, getattr(fit, name), drug.unit if dosed else "")
        yield row | _cells("p_against_flat", Estimate(fit.p), "")
    if drug.gr is None:
        yield place | {"fit": "GR", "quantity": "gr50", "note": drug.gr_note}
    for name, average in (("ec50", drug.ec50), ("ic50", drug.ic50), ("gr50", drug.gr50)):
        if average.experiments > 1:
            note = f"geometric mean; {average.n} of {average.experiments} experiments have one"
            row = {**place, "fit": "over experiments", "n": average.n, "note": note}
            yield row | _cells(name, average.dose, drug.unit)
    auc = drug.auc
    doses = f"{auc.low_dose:g} to {auc.high_dose:g} {drug.unit}"
    note = auc.note or f"over {doses}; compare only equal ranges"
    row = {**place, "fit": "area under the curve", "n": auc.n_doses, "note": note}
    yield row | _cells("auc", auc.value, "% of control")
    if drug.control_dose is not None:
        found = drug.control_dose
        row = {**place, "fit": "spheroid control", "n": found.count, "note": found.note}
        yield row | _cells("scd50", found.dose, drug.unit)


def _cells(quantity, estimate, unit):
    cells = ends("value", estimate)
    if math.isnan(estimate.value):
        cells = dict.fromkeys(cells, "")
    return {"quantity": quantity, **cells, "unit": unit}
