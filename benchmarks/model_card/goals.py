"""Goals of the packaged model, each met or missed by the numbers of a card."""

import numpy as np

from benchmarks.model_card import discs
from spheroid_jax.report.tables import Table

# F of the largest body on each set of one body.
LEAST_F = 0.96
# By set: the least F1 at an IoU of 0.5, F1 at 0.8, and F of the largest body.
MANY = {
    "ipsc-frames": {"f1_50": 0.95, "f1_80": 0.80, "largest_f": 0.93},
    "orgaquant": {"f1_50": 0.75},
    "fly-embryos": {"f1_50": 0.60},
}
_NAMES = {"f1_50": "F1@0.5", "f1_80": "F1@0.8", "largest_f": "F of the largest body"}
# Shares of images: of drawn ones without a body that get a mask, and with one that get none.
MOST_WRONG = 1 / 50
# Relative error of a disc's diameter, and percent per doubling of the diameter.
MOST_ERROR, MOST_TREND = 0.02, 0.25
MOST_ONE_S, MOST_MANY_S, MOST_BYTES = 0.12, 1.5, 1e9


def judge(parts):
    """Judges the parts that a card has.

    Args:
      parts: dict from a part's name to what its `measure` returned.

    Returns:
      list of pairs (met, sentence).
    """
    judges = {
        "one-body": _one_body,
        "instances": _instances,
        "empties": _empties,
        "discs": _discs,
        "cost": _cost,
    }
    return [
        verdict
        for name, judged in judges.items()
        if name in parts
        for verdict in judged(parts[name])
    ]


def _at_least(value, least, name):
    return value >= least, f"{name}: {100 * value:.1f} (goal {100 * least:.1f})"


def _one_body(found):
    for each in found:
        yield _at_least(each["f"], LEAST_F, f"{each['set']}, F")
        label = each["best_threshold"]
        name = f"{each['set']}, F beside the best threshold, {label}"
        yield _at_least(each["f"], each["thresholds"][label], name)


def _instances(found):
    for each in found:
        for key, least in MANY.get(each["set"], {}).items():
            yield _at_least(each[key], least, f"{each['set']}, {_NAMES[key]}")


def _empties(found):
    for group in dict.fromkeys(row["group"] for row in found["images"]):
        own = [row for row in found["images"] if row["group"] == group]
        drawn = "draw" in group
        wrong = sum((row["found"] > 0) != row["body"] for row in own)
        what = "without a mask" if own[0]["body"] else "with a mask"
        most = MOST_WRONG * len(own) if drawn else 0
        yield wrong <= most, f"{group}: {wrong} of {len(own)} {what} (goal {most:g})"


def _discs(found):
    missed = sum(not each["found"] for each in found)
    yield missed == 0, f"discs: {missed} of {len(found)} not found (goal 0)"
    errors = np.array([abs(each["error"]) for each in found if each["found"]])
    wide = np.count_nonzero(errors > MOST_ERROR)
    yield (
        wide == 0,
        (
            f"discs: diameter of {wide} of {len(errors)} wrong by more than "
            f"{100 * MOST_ERROR:.0f} % (goal 0)"
        ),
    )
    trend = discs.slope(found)
    if trend is not None:
        yield (
            abs(trend) <= MOST_TREND,
            f"discs: {trend:+.2f} % per doubling of the diameter (goal {MOST_TREND:g})",
        )


def _cost(found):
    for seconds, most, name in (
        (found["one_s"], MOST_ONE_S, "one body"),
        (found["many_s"], MOST_MANY_S, "many bodies"),
    ):
        median = float(np.median(seconds))
        yield median <= most, f"{name}: {median:.3f} s per image (goal {most:g})"
    peak = found["peak_bytes"]
    yield peak <= MOST_BYTES, f"peak memory: {peak / 1e9:.2f} GB (goal {MOST_BYTES / 1e9:g})"


def table(judged):
    """Makes the table of the verdicts that `judge` returned."""
    rows = [["yes" if met else "no", sentence] for met, sentence in judged]
    count = sum(met for met, _ in judged)
    return Table(f"{count} of {len(judged)} goals are met", ["met", "measured"], rows)
