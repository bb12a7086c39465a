"""Results of each condition: size, growth, growth delay, regrowth, and comparison with controls."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from spheroid_jax.plates import (
    comparisons,
    controls,
    delay,
    growth,
    growth_models,
    regrowth,
    summary,
    survival,
)
from spheroid_jax.plates.comparisons import Comparison
from spheroid_jax.plates.delay import Delay
from spheroid_jax.plates.growth import MeanRate, RadialSpeed
from spheroid_jax.plates.growth_models import GrowthFit
from spheroid_jax.plates.observations import MEASURES
from spheroid_jax.plates.options import PlateOptions
from spheroid_jax.plates.series import SAME_H, Group, Series
from spheroid_jax.plates.summary import Summary
from spheroid_jax.plates.survival import Curve, LogRank, Probability, TimeToEvent


class Times(NamedTuple):
    """Times of an analysis in hours.

    Attributes:
      t0: time of treatment.
      at: time at which conditions are compared.
      every: all times with images, ascending.
    """

    t0: float
    at: float
    every: tuple[float, ...]

    @property
    def grown(self) -> bool:
        """Whether there is time between treatment and comparison."""
        return self.at > self.t0


class Condition(NamedTuple):
    """Results of one condition.

    Attributes:
      group: its wells.
      refused: number of wells whose images were not measured at the time of comparison.
      missing: number of wells without an image at that time.
      size: size at that time.
      percent: the same in percent of the negative control of the same plate.
      fold: size at that time over that at treatment.
      rate: specific growth rate of the volume; None with one time.
      fits: growth models; () with one time.
      radius: speed of the radius; None with one time, or for sizes in pixels.
      to_multiple: time to the multiple of the size at treatment, of each well.
      delay: growth delay against the negative control; None for the control.
      regrown: time to regrowth of each well; () where the treatment shrinks no spheroid.
      curve: probability that a well has not regrown, by time; None where none is followed.
      control_probability: the same at the time of comparison.
      log_rank: times to regrowth compared with those of the negative control.
      comparison: size at the time of comparison against the negative control, as a ratio.
    """

    group: Group
    refused: int
    missing: int
    size: Summary
    percent: Summary
    fold: Summary
    rate: MeanRate | None = None
    fits: tuple[GrowthFit, ...] = ()
    radius: RadialSpeed | None = None
    to_multiple: tuple[TimeToEvent, ...] = ()
    delay: Delay | None = None
    regrown: tuple[TimeToEvent, ...] = ()
    curve: Curve | None = None
    control_probability: Probability | None = None
    log_rank: LogRank | None = None
    comparison: Comparison | None = None


def analyse(
    groups: Sequence[Group], everything: Sequence[Series], times: Times, options: PlateOptions
) -> list[Condition]:
    """Computes the results of all conditions that may hold spheroids.

    Args:
      groups: conditions, as returned by `series.groups`.
      everything: all wells, among them the controls.
      times: times of the analysis.
      options: choices.
    """
    groups = [group for group in groups if group.key.role not in ("blank", "empty")]
    found = [_alone(group, everything, times, options) for group in groups]
    shrunk = {_treatment(each) for each in found if _shrinks(each, times)}
    lines = {line for line, _ in shrunk}
    found = [
        _followed(each, times, options)
        if _treatment(each) in shrunk
        or (each.group.key.role == "negative" and each.group.key.cell_line in lines)
        else each
        for each in found
    ]
    found = _against_controls(found)
    return _compared(found, times, options)


def _alone(group, everything, times, options):
    """Computes what needs no other condition but the controls' mean."""
    experiments = [series.well.experiment for series in group.wells]
    folds = np.array([controls.fold(series, times.t0, times.at) for series in group.wells], float)
    percents = controls.percent(group.wells, everything, times.at)
    refused = sum(series.refused_at(times.at) for series in group.wells)
    sizes = group.sizes_at(times.at)
    condition = Condition(
        group,
        refused,
        int(np.isnan(sizes).sum()) - refused,
        summary.summarise(sizes, experiments),
        summary.summarise(percents, experiments),
        summary.summarise(folds, experiments),
    )
    if not times.grown:
        return condition
    time_h, size, wells, units = group.points()
    power = MEASURES[options.measure]
    later = time_h >= times.t0 - SAME_H
    window = options.window_h or (times.t0, times.every[-1])
    to_multiple = _each(group, delay.time_to_multiple, t0_h=times.t0, multiple=options.multiple)
    return condition._replace(
        rate=growth.rate_of_wells(
            time_h, size, wells, unit=units, window_h=window, power=float(power)
        ),
        fits=growth_models.fit_models(time_h[later], size[later]),
        radius=growth.linear_radius(time_h[later], _diameter(size[later], power)),
        to_multiple=to_multiple,
    )


def _treatment(condition):
    return condition.group.key.cell_line, condition.group.key.treatment


def _shrinks(condition, times):
    """Whether a spheroid of a condition falls below its size at treatment, and so can regrow."""
    return any(
        bool(np.any(series.size[series.time_h > times.t0] < series.at(times.t0)))
        for series in condition.group.wells
    )


def _each(group, function, **arguments):
    """Applies a function of time and size to each well that has images."""
    return tuple(
        function(series.time_h, series.size, **arguments)
        if len(series.time_h)
        else TimeToEvent(math.nan, False, "no image")
        for series in group.wells
    )


def _diameter(size, power):
    """Returns the diameter of the ball or disc of a size; a length is a diameter already."""
    if power == 3:
        return (6 * size / math.pi) ** (1 / 3)
    return 2 * np.sqrt(size / math.pi) if power == 2 else size


def _followed(condition, times, options):
    """Follows the wells of a treatment under which spheroids shrink until they regrow."""
    regrown = _each(condition.group, regrowth.event, t0_h=times.t0, rule=options.rule)
    hours, observed = survival.followed(regrown)
    if not len(hours):
        return condition._replace(regrown=regrown)
    curve = survival.kaplan_meier(hours, observed)
    after = times.at - times.t0
    return condition._replace(
        regrown=regrown,
        curve=curve,
        control_probability=survival.control_probability(curve, after),
    )


def _against_controls(conditions):
    """Adds what compares times with those of the negative control of the same cell line."""
    found = []
    for condition in conditions:
        control = control_of(condition, conditions)
        if control is None or control is condition or not condition.to_multiple:
            found.append(condition)
            continue
        of_delay = None
        if any(not math.isnan(each.after_h) for each in condition.to_multiple):
            of_delay = delay.growth_delay(condition.to_multiple, control.to_multiple)
        log_rank = None
        if condition.curve is not None and control.curve is not None:
            both = survival.followed(condition.regrown), survival.followed(control.regrown)
            log_rank = survival.log_rank(*both[0], *both[1])
        found.append(condition._replace(delay=of_delay, log_rank=log_rank))
    return found


def control_of(condition: Condition, conditions: Sequence[Condition]) -> Condition | None:
    """Returns the negative control of a condition's cell line; None if there is none.

    Where a map has several negative controls, such as DMSO and medium, the one with most measured
    wells counts, as in `controls.order`.
    """
    found = [
        each
        for each in conditions
        if each.group.key.role == "negative"
        and each.group.key.cell_line == condition.group.key.cell_line
    ]
    return max(found, key=lambda each: each.group.measured, default=None)


def families(conditions: Sequence[Condition]) -> list[list[Condition]]:
    """Gathers the conditions of each cell line, which are compared with one another."""
    by_line: dict[str, list[Condition]] = {}
    for each in conditions:
        by_line.setdefault(each.group.key.cell_line, []).append(each)
    return list(by_line.values())


def sizes_of(
    family: Sequence[Condition], time_h: float
) -> tuple[dict[str, Float[np.ndarray, " _N"]], dict[str, list[str]]]:
    """Returns the wells' sizes at a time and their experiments, by the label of the condition."""
    return (
        {each.group.key.label: each.group.sizes_at(time_h) for each in family},
        {
            each.group.key.label: [series.well.experiment for series in each.group.wells]
            for each in family
        },
    )


def _compared(conditions, times, options):
    """Adds the comparison of sizes with the negative control, one family of tests per cell line."""
    found = {}
    for family in families(conditions):
        control = control_of(family[0], family)
        if control is None:
            continue
        label, (sizes, units) = control.group.key.label, sizes_of(family, times.at)
        for each in comparisons.compare(
            sizes, control=label, units=units, test=options.test, scale="ratio"
        ):
            found[each.first] = each
    return [each._replace(comparison=found.get(each.group.key.label)) for each in conditions]
