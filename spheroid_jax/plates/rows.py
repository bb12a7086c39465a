"""Rows of wells.csv and conditions.csv, and what their columns mean."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from spheroid_jax.plates import controls
from spheroid_jax.plates.conditions import Condition, Times
from spheroid_jax.plates.estimate import Estimate
from spheroid_jax.plates.joined import Joined
from spheroid_jax.plates.series import Key, Series
from spheroid_jax.report.sheets import Column

# Numbers in the tables have this many significant digits; more would be noise.
_DIGITS = 6

_KEY = (
    Column("cell_line", "from the map"),
    Column("treatment", "from the map"),
    Column("concentration", "from the map; empty where the map has none"),
    Column("concentration_unit", "from the map"),
    Column("role", "from the map: sample, negative, positive"),
)
WELLS = (
    Column("plate", "from the map"),
    Column("experiment", "biological replicate, from the map; the plate where the map has none"),
    Column("well", "row and column"),
    *_KEY,
    Column("replicate", "from the map"),
    Column("time_h", "hours; empty where the names say no time, or the well has no image"),
    Column("size", "size; empty where there is none", "see `measure` and `unit`"),
    Column("measure", "which size"),
    Column("unit", "unit of the size"),
    Column(
        "percent_of_control",
        "size in percent of the negative controls of the same plate, cell line and time",
        "100 size / mean size of the controls",
    ),
    Column("fold_change", "size over that of the same well at t0", "X_t / X_0"),
    Column("images", "number of images"),
    Column("refused_images", "number of images that were not measured"),
    Column("verdicts", "verdicts on the images"),
    Column("flags", "what to keep in mind about the measurements"),
    Column("reason", "why there is no size"),
)


def _interval(name, meaning, formula="", source=""):
    """Returns the columns of an estimate and of the ends of its 95 % interval."""
    return (
        Column(name, meaning, formula, source),
        Column(f"{name}_low", "lower end of its 95 % interval"),
        Column(f"{name}_high", "upper end of its 95 % interval"),
    )


CONDITIONS = (
    *_KEY,
    Column("wells", "wells of the map, without excluded ones"),
    Column("n", "number of replicates behind means and intervals"),
    Column("n_unit", "what n counts: wells of one experiment, or experiments"),
    Column("refused", "wells whose images were not measured at `at_h`"),
    Column("missing", "wells without an image at `at_h`"),
    Column("at_h", "hour at which conditions are compared"),
    *_interval("size", "mean size at `at_h`"),
    Column("size_sd", "standard deviation of the n replicates"),
    Column("measure", "which size"),
    Column("unit", "unit of the size"),
    *_interval("percent_of_control", "mean of the wells' percent of control at `at_h`"),
    *_interval("fold_change", "mean of the wells' fold change from t0 to `at_h`"),
    *_interval(
        "rate_per_day", "specific growth rate of the volume", "slope of ln V; mean over replicates"
    ),
    *_interval("doubling_days", "doubling time of the volume", "ln 2 / rate"),
    Column("growth_note", "not growing, shrinking, or why there is no rate"),
    Column("growth_model", "growth model with the least AICc"),
    Column("growth_model_weight", "its Akaike weight"),
    *_interval("radius_um_per_day", "speed of the radius", "slope of the radius"),
    *_interval("delay_h", "growth delay against the negative control", "difference of medians"),
    Column("delay_note", "not reached, or why there is no delay"),
    Column("followed", "wells followed until they regrew or were censored"),
    Column("regrown", "wells that regrew"),
    *_interval("control_probability", "share of wells not regrown at `at_h`", "Kaplan-Meier"),
    Column("log_rank_p", "times to regrowth against those of the negative control"),
    *_interval("ratio_to_control", "size over that of the negative control", "see plate.md"),
    *_interval("effect_size", "Hedges' g of ln size, or Cliff's delta"),
    Column("p", "against the negative control"),
    Column("p_holm", "the same, adjusted by Holm's method over the cell line's conditions"),
    Column("comparison_note", "what the p-value rests on, or why there is none"),
)


def of_wells(joined: Joined, series: Sequence[Series], times: Times) -> Iterator[dict[str, Any]]:
    """Yields one row per well and time."""
    by_well = {(one.well.plate, one.well.well): one for one in series}
    means: dict[tuple[str, str, float], float] = {}
    for row in joined.rows:
        one = by_well[row.well.plate, row.well.well]
        at = 0.0 if math.isnan(row.time_h) else row.time_h
        well = row.well
        place = well.plate, well.cell_line, at
        if place not in means:
            means[place] = controls.mean_at(controls.of_well(one, series), at)
        key = Key(
            well.cell_line, well.treatment, well.concentration, well.concentration_unit, well.role
        )
        yield {
            "plate": well.plate,
            "experiment": well.experiment,
            "well": well.well,
            **_key(key),
            "replicate": well.replicate,
            "time_h": shown(row.time_h),
            "size": shown(row.value),
            "measure": joined.measure,
            "unit": joined.unit,
            "percent_of_control": shown(100 * row.value / means[place]),
            "fold_change": shown(controls.fold(one, times.t0, at)),
            "images": row.images,
            "refused_images": row.refused,
            "verdicts": row.verdicts,
            "flags": row.flags,
            "reason": row.reason,
        }


def of_condition(condition: Condition, joined: Joined, times: Times) -> dict[str, Any]:
    """Makes the row of one condition."""
    group, size = condition.group, condition.size
    row = {
        **_key(group.key),
        "wells": len(group.wells),
        "n": size.n,
        "n_unit": size.unit,
        "refused": condition.refused,
        "missing": condition.missing,
        "at_h": shown(times.at),
        "size_sd": shown(size.sd),
        "measure": joined.measure,
        "unit": joined.unit,
        **ends("size", size.mean),
        **ends("percent_of_control", condition.percent.mean),
        **ends("fold_change", condition.fold.mean),
    }
    return row | _growth(condition) | _regrowth(condition) | _comparison(condition)


def _growth(condition):
    """Returns the cells about growth; empty with one time."""
    if condition.rate is None:
        return {}
    row = {
        **ends("rate_per_day", condition.rate.rate_per_day),
        **ends("doubling_days", condition.rate.doubling_days),
        "growth_note": condition.rate.note,
    }
    known = [fit for fit in condition.fits if not math.isnan(fit.aicc)]
    if known:
        best = min(known, key=lambda fit: fit.aicc)
        row |= {"growth_model": best.model, "growth_model_weight": shown(best.weight)}
    if condition.radius is not None:
        row |= ends("radius_um_per_day", condition.radius.um_per_day)
    if condition.delay is not None:
        row |= {**ends("delay_h", condition.delay.hours), "delay_note": condition.delay.note}
    return row


def _regrowth(condition):
    """Returns the cells about regrowth; empty where no well could be followed."""
    if condition.curve is None or condition.control_probability is None:
        return {}
    followed = [each for each in condition.regrown if not math.isnan(each.after_h)]
    return {
        "followed": len(followed),
        "regrown": sum(each.observed for each in followed),
        **ends("control_probability", condition.control_probability.probability),
        "log_rank_p": shown(condition.log_rank.p) if condition.log_rank else "",
    }


def _comparison(condition):
    """Returns the cells about the comparison with the negative control; empty for the control."""
    found = condition.comparison
    if found is None:
        return {}
    return {
        **ends("ratio_to_control", found.change),
        **ends("effect_size", found.effect),
        "p": shown(found.p),
        "p_holm": shown(found.p_holm),
        "comparison_note": "; ".join(filter(None, (found.replicates, found.note))),
    }


def ends(name: str, estimate: Estimate) -> dict[str, Any]:
    """Returns the cells of an estimate and of the ends of its interval."""
    low, high = estimate.low, estimate.high
    return {name: shown(estimate.value), f"{name}_low": shown(low), f"{name}_high": shown(high)}


def _key(key):
    return {
        "cell_line": key.cell_line,
        "treatment": key.treatment,
        "concentration": shown(key.concentration),
        "concentration_unit": key.unit,
        "role": key.role,
    }


def shown(value: float) -> float | str:
    """Returns a number with the digits of a table; empty for NaN, and "inf" for infinity."""
    if math.isnan(value):
        return ""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else str(value)
