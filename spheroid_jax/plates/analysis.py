"""The analysis of plates: from tables of wells and a plate map to answers.

results = sj.plate("results", "map.csv")
results.answers
results.write("analysis")
"""

import math
import os
import pathlib
from collections.abc import Iterable
from typing import NamedTuple

from spheroid_jax.errors import UserError
from spheroid_jax.plates import (
    answers,
    checks,
    conditions,
    drugs,
    joined,
    layout,
    nominal,
    observations,
    series,
    warnings,
)
from spheroid_jax.plates.checks import PlateQuality
from spheroid_jax.plates.conditions import Condition, Times
from spheroid_jax.plates.drugs import Drug
from spheroid_jax.plates.joined import Joined
from spheroid_jax.plates.layout import Layout
from spheroid_jax.plates.options import PlateOptions
from spheroid_jax.plates.series import Series

_DEFAULTS = PlateOptions()
_SHOWN = 12  # times in a message


class PlateError(UserError, ValueError):
    """A choice that does not fit the images; the message says what would."""


class Analysis(NamedTuple):
    """Results of an analysis.

    Attributes:
      options: choices.
      layout: the plate map.
      joined: one row per well and time.
      series: each well over time.
      times: times of treatment and of comparison.
      conditions: results of each condition, controls first.
      drugs: results of each drug.
      plates: quality of each plate.
      answers: one sentence per drug, other treatment and control.
      warnings: what was left out, guessed, or speaks against an answer.
    """

    options: PlateOptions
    layout: Layout
    joined: Joined
    series: tuple[Series, ...]
    times: Times
    conditions: tuple[Condition, ...]
    drugs: tuple[Drug, ...]
    plates: tuple[PlateQuality, ...]
    answers: tuple[str, ...]
    warnings: tuple[str, ...]

    def write(self, folder: str | os.PathLike, *, xlsx: bool = False) -> dict[str, str]:
        """Writes tables, figures and a page; see `plates.written.write`."""
        from spheroid_jax.plates import written

        return written.write(self, pathlib.Path(folder), xlsx=xlsx)


def plate(
    results: str | os.PathLike | Iterable[str | os.PathLike],
    map: str | os.PathLike,
    options: PlateOptions = _DEFAULTS,
) -> Analysis:
    """Analyses plates: growth, dose response, comparisons, regrowth, and quality.

    Opens no image: sizes come from the tables of `spheroid measure`, and what is in each well from
    the plate map.

    Args:
      results: one or several folders that `spheroid measure` wrote.
      map: plate map, as CSV, Excel or TOML file.
      options: choices.

    Returns:
      The results; `write` makes tables, figures and a page of them.

    Raises:
      UserError: the map or a table cannot be used, or an option does not fit them.
    """
    folders = [results] if isinstance(results, str | os.PathLike) else list(results)
    paths = [pathlib.Path(folder).resolve() for folder in folders]
    if twice := [str(f) for n, f in enumerate(folders) if paths[n] in paths[:n]]:
        raise PlateError(f"{twice[0]}: this folder of results was given twice")
    wanted = layout.read(map, wells=options.wells)
    observed = observations.read(
        folders,
        measure=options.measure,
        bodies=options.bodies,
        times=options.times,
        interval_h=options.interval_h,
        only_ok=options.only_ok,
    )
    found = joined.join(observed, wanted)
    return _analysed(options, wanted, found)


def _analysed(options, wanted, found):
    wells = series.of_rows(found.rows)
    times = _times(wells, options)
    groups = series.groups(wells)
    by_condition = tuple(conditions.analyse(groups, wells, times, options))
    by_drug = tuple(drugs.analyse(by_condition, wells, times, options))
    plates = tuple(checks.of_plates(wells, wanted, times.at))
    return Analysis(
        options,
        wanted,
        found,
        tuple(wells),
        times,
        by_condition,
        by_drug,
        plates,
        tuple(_answers(by_condition, by_drug, times, options)),
        tuple(warnings.collect(found, by_condition, by_drug, plates, times)),
    )


def _check(options):
    """Checks the choices that need no image.

    Raises:
      PlateError: a choice is out of range; the message names the option.
    """
    finite = {"--t0": options.t0_h, "--at": options.at_h}
    above_0 = {
        "--interval": options.interval_h,
        "--multiple": options.multiple,
        "--regrowth-level": options.rule.level,
    }
    for name, value in {**finite, **above_0}.items():
        low = 0 if name in above_0 else -math.inf
        if value is not None and not low < value < math.inf:
            kind = "a number above 0" if name in above_0 else "a finite number"
            raise PlateError(f"{name} {value:g}: must be {kind}")
    if options.multiple <= 1:
        raise PlateError(f"--multiple {options.multiple:g}: must be above 1, a growth")
    if options.rule.rising < 1:
        raise PlateError(f"--regrowth-images {options.rule.rising}: must be at least 1")
    if options.window_h is not None:
        start, end = options.window_h
        if not -math.inf < start < end < math.inf:
            raise PlateError(f"--window {start:g} {end:g}: the first hour must be before the last")


def _times(wells, options):
    """Returns the times of treatment and comparison; both must have images."""
    _check(options)
    every = tuple(float(time) for time in series.times_of(wells))
    if not every:
        raise PlateError("no well of the map has an image; do the names of wells fit the map?")
    t0 = every[0] if options.t0_h is None else options.t0_h
    at = every[-1] if options.at_h is None else options.at_h
    t0, at = (_nominal(name, value, every) for name, value in (("--t0", t0), ("--at", at)))
    if options.window_h is not None:
        start, end = options.window_h
        if sum(start - series.SAME_H <= time <= end + series.SAME_H for time in every) < 3:
            raise PlateError(
                f"--window {start:g} {end:g}: needs images at 3 times in it; there are "
                f"{_listed(every)}"
            )
    if at < t0:
        raise PlateError(f"--at {at:g} is before --t0 {t0:g}")
    return Times(t0, at, every)


def _nominal(name, value, every):
    """Returns the time of images that an option means."""
    found = nominal.nearest(value, every)
    if found is None:
        raise PlateError(f"{name} {value:g}: no image at this hour; there are {_listed(every)}")
    return found


def _listed(every):
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(f"{time:g}" for time in every[:_SHOWN]) + more


def _answers(by_condition, by_drug, times, options):
    """Yields the sentences, drugs first."""
    for drug in by_drug:
        yield answers.of_drug(drug, by_condition, times, options.measure)
    for condition in by_condition:
        key = condition.group.key
        if key.role == "sample" and math.isnan(key.concentration):
            yield answers.of_condition(condition, times)
    for condition in by_condition:
        if condition.group.key.role == "negative":
            yield answers.of_control(condition, times)
        elif condition.group.key.role == "positive":
            yield answers.of_condition(condition, times)
