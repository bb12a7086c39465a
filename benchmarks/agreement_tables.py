"""Markdown tables of the agreement of areas and growth rates."""

import importlib.metadata
import math
import textwrap

import numpy as np

from benchmarks import machine
from spheroid_jax.report import tables
from spheroid_jax.report.tables import Cell, Table

_WIDTH = 100


def render(found):
    """Returns all paragraphs and tables of `growth_agreement.Found`."""
    measured = [each for each in found.images if math.isfinite(each.ours)]
    pairs = [each for each in measured if each.theirs > 0]
    parts = [
        _wrapped(_about(found, measured, pairs)),
        "### Bias and limits",
        tables.markdown(limits(found)),
        "### Areas by day",
        tables.markdown(by_day(pairs)),
        "### Images outside the limits",
        tables.markdown(outside(pairs, found.agreed.areas)),
        "### Growth rates by well, % per day",
        tables.markdown(by_well(found.rates)),
    ]
    return "\n\n".join(parts)


def limits(found):
    """Makes the table of biases and limits; rates are in percent per day."""
    rows = [
        row
        for each, which in ((found.agreed, "all measured"), (found.trusted, "verdict ok"))
        for row in (
            [f"area, ours / theirs, {which}", *_limits(each.areas, math.exp)],
            [
                f"rate (% per day), ours - theirs, {which}",
                *_limits(each.rates, lambda rate: 100 * rate),
            ],
        )
    ]
    headings = ["", "pairs", "bias", "lower limit", "upper limit"]
    return Table("", headings, rows)


def by_day(pairs):
    """Makes the table of the geometric means of the ratios of areas on each day."""
    days = sorted({each.day for each in pairs})
    rows = []
    for day in days:
        ours, theirs, mask = np.array(
            [(each.ours, each.theirs, each.mask) for each in pairs if each.day == day]
        ).T
        ratios = (ours / theirs, mask / theirs, ours / mask)
        rows.append([str(day), str(len(ours)), *(Cell(_geometric(each)) for each in ratios)])
    headings = ["day", "images", "ours / theirs", "masks / theirs", "ours / masks"]
    return Table("", headings, rows)


def outside(pairs, agreed):
    """Makes the table of the images whose ratio is outside the limits of agreement."""
    rows = [
        [
            f"{each.well}, day {each.day}",
            *(Cell(area, digits=0) for area in (each.ours, each.theirs, each.mask)),
            Cell(each.ours / each.theirs),
            each.verdict,
        ]
        for each in pairs
        if not agreed.low.mean <= math.log(each.ours / each.theirs) <= agreed.high.mean
    ]
    headings = ["image", "ours (um2)", "theirs (um2)", "mask (um2)", "ours / theirs", "verdict"]
    return Table("", headings, rows)


def by_well(rates):
    """Makes the table of the wells' rates in percent per day."""
    rows = [
        [
            each.well,
            ", ".join(map(str, each.days)),
            *(_rate(rate) for rate in (each.ours, each.theirs)),
            f"{_rate(each.theirs_all)} ({each.theirs_all.count} days)",
            *(_doubling(rate) for rate in (each.ours, each.theirs)),
        ]
        for each in rates
    ]
    headings = ["well", "days", "ours", "theirs, same days", "theirs, all days"]
    return Table("", [*headings, "doubling, ours", "doubling, theirs"], rows)


def _about(found, measured, pairs):
    """Returns sentences about the model, the machine, and what was compared."""
    missing = [each for each in found.images if each not in measured]
    named = ", ".join(f"{each.well} on day {each.day}: {each.verdict}" for each in missing)
    refused = f"{len(missing)} without an area ({named})" if missing else "0 without an area"
    doubted = sum(each.verdict != "ok" for each in pairs)
    about = machine.describe()
    versions = {**about["versions"], "scipy": importlib.metadata.version("scipy")}
    used = ", ".join(f"{name} {versions[name]}" for name in ("jax", "numpy", "scipy"))
    return (
        f"{about['date']}, model {found.model}: {len(found.images)} images of "
        f"{len({each.well for each in found.images})} wells, {refused}; {len(pairs)} areas "
        f"compared, of which {doubted} have another verdict than ok; {len(found.rates)} wells with "
        f"3 or more days in common. {about['cores']} cores, {about['cpu']}; Python "
        f"{about['python']}, {used}."
    )


def _limits(agreed, shown):
    """Returns the cells of one row: number of pairs, bias and limits with intervals."""
    texts = (
        f"{shown(each.mean):.2f} [{shown(each.low):.2f}, {shown(each.high):.2f}]"
        for each in agreed[:3]
    )
    return [str(agreed.count), *texts]


def _percent(share):
    return 100 * share


def _rate(rate):
    value, low, high = map(_percent, rate.rate_per_day)
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _doubling(rate):
    days = rate.doubling_days
    return rate.note or f"{days.value:.1f} d [{days.low:.1f}, {days.high:.1f}]"


def _geometric(ratios):
    return math.exp(float(np.mean(np.log(ratios))))


def _wrapped(text):
    return textwrap.fill(text, _WIDTH, break_on_hyphens=False)
