"""What a reader must keep in mind: what was left out, guessed, or speaks against an answer."""

import math
from collections.abc import Iterator, Sequence

from spheroid_jax.plates import said
from spheroid_jax.plates.checks import PlateQuality
from spheroid_jax.plates.conditions import Condition, Times, control_of, families
from spheroid_jax.plates.drugs import Drug
from spheroid_jax.plates.joined import Joined

_ALPHA = 0.05
# An edge effect or drift is worth a warning from this change on.
_LEAST_CHANGE = 0.1
# Controls that vary more than this make small effects invisible.
_MOST_CV = 30.0


def collect(
    joined: Joined,
    conditions: Sequence[Condition],
    drugs: Sequence[Drug],
    plates: Sequence[PlateQuality],
    times: Times,
) -> Iterator[str]:
    """Yields the warnings of an analysis, what changes answers first."""
    for drug in drugs:
        if drug.refusals.warning:
            yield f"{drug.label}: {drug.refusals.warning}"
        if drug.hormesis.found:
            excess = 100 * drug.hormesis.excess
            yield (
                f"{drug.label}: {drug.hormesis.dose:g} {drug.unit} is {excess:.0f} % above the "
                "control (hormesis); the curve of four parameters does not describe that"
            )
    yield from _without_controls(conditions)
    yield from _of_controls(conditions, times)
    for plate in plates:
        yield from _of_plate(plate)
    if not times.grown:
        yield "all images are of one time: no growth, no GR values, no regrowth"
    yield from joined.notes


def _without_controls(conditions):
    for family in families(conditions):
        line = family[0].group.key.cell_line
        if control_of(family[0], family) is None:
            name = f" for the cell line {line}" if line else ""
            yield f"the map has no negative control{name}: no percent of control, no comparison"


def _of_controls(conditions, times):
    """Yields which of several controls is the reference, and which plates have too few."""
    everything = [one for each in conditions for one in each.group.wells]
    lines = list(dict.fromkeys(one.well.cell_line for one in everything))
    for line in lines:
        labels = [
            each.group.key.label
            for each in sorted(conditions, key=lambda each: -each.group.measured)
            if each.group.key.role == "negative" and each.group.key.cell_line == line
        ]
        if len(labels) > 1:
            others = ", ".join(labels[1:])
            yield (
                f"{len(labels)} negative controls: {labels[0]} has most wells and is the "
                f"reference; {others} is compared with it"
            )
    for plate, line in dict.fromkeys((one.well.plate, one.well.cell_line) for one in everything):
        wells = [one for one in everything if (one.well.plate, one.well.cell_line) == (plate, line)]
        own = [one for one in wells if one.well.role == "negative"]
        count = sum(not math.isnan(one.at(times.at)) for one in own)
        place = f"plate {plate}" if plate else "the plate"
        place += f", {line}" if line and len(lines) > 1 else ""
        if own and not count:
            yield (
                f"{place}: no negative control has a size at {said.hours(times.at)}, so none of "
                f"its {len(wells)} wells has a percent of control"
            )
        elif count == 1 and len(wells) > 1:
            yield f"{place}: one negative control; its error is in no interval"


def _of_plate(plate):
    name = f"plate {plate.plate}: " if plate.plate else ""
    if plate.edge.p < _ALPHA and abs(plate.edge.ratio - 1) > _LEAST_CHANGE:
        change = 100 * (plate.edge.ratio - 1)
        yield f"{name}outer wells are {change:+.0f} % in size (edge effect, p = {plate.edge.p:.2g})"
    for axis, found in (("rows", plate.rows), ("columns", plate.columns)):
        if found.p < _ALPHA and abs(found.percent) > 100 * _LEAST_CHANGE:
            yield f"{name}sizes drift by {found.percent:+.0f} % over the {axis} (p = {found.p:.2g})"
    if plate.negative.percent > _MOST_CV:
        yield f"{name}the negative controls vary by {plate.negative.percent:.0f} % (CV)"
    if not math.isnan(plate.z_prime.value) and plate.z_prime.value < 0:
        yield f"{name}Z' is {plate.z_prime.value:.2f}: the controls overlap"
