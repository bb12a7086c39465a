"""Part `one-body`: the largest body of an image, beside thresholds.

The scores are those of `spheroid score DIR MODEL conventional`. No user without masks knows the
best threshold of a laboratory; "best of 5" is chosen on the laboratory's other groups.
"""

import numpy as np

from benchmarks import sets
from benchmarks.model_card.numbers import cell, plain
from spheroid_jax.evaluation import statistics
from spheroid_jax.evaluation.metrics import Agreement
from spheroid_jax.evaluation.score import outputs, pixels, results, scoring, sources, targets
from spheroid_jax.evaluation.score.rules import mean
from spheroid_jax.inference import conventional
from spheroid_jax.report.tables import Table

LABEL = "model"
_BEST_OF = f"best of {len(conventional.THRESHOLDS)}"


def measure(given):
    """Scores all sets of one body; writes scores and the worst images to one-body/.

    Args:
      given: `settings.Given`.

    Returns:
      list with the numbers of each set.
    """
    pairs, trains = images_of(given, sets.ONE_BODY)
    rules = pixels.rules()
    words = [f"{LABEL}={given.model}", sources.CONVENTIONAL]
    opened = sources.open_sources(words, pairs, rules, missing_are_empty=False)
    rows = [row for source in opened for row in scoring.score(source, pairs, rules)]
    write(given.out / "one-body", given.name, rows[0], pairs, rules)
    return [
        numbers(name, rows, pairs, rules) | {"trains": trains[name]}
        for name in targets.datasets_of(pairs)
    ]


def images_of(given, collection):
    """Lists the pairs of the sets that are there, and says of each set whether it may train."""
    chosen = sets.present(given.data, collection)
    pairs = [pair for each in chosen for pair in sets.pairs(given.data, each, given.every)]
    return pairs, {each.name: each.trains for each in chosen}


def write(folder, name, row, pairs, rules):
    """Writes the scores of each image, the table, and the worst images of each set."""
    named = row._replace(label=name)
    outputs.write(folder, [named], pairs, results.table([named], pairs, rules), rules)


def numbers(name, rows, pairs, rules):
    """Returns the numbers of one set.

    Args:
      name: the set.
      rows: `scoring.Row`s of the model, of the thresholds, and of the threshold chosen per image.
      pairs: the images of all sets.
      rules: `pixels.rules()`.
    """
    at = [n for n, pair in enumerate(pairs) if pair.dataset == name]
    ours, *thresholds, best_of = (row.scores[at] for row in rows)
    labels = [row.label.removeprefix(sources.CONVENTIONAL).strip() for row in rows[1:-1]]
    f_scores = rules.ranks(ours)
    theirs = dict(zip(labels, map(rules.ranks, thresholds), strict=True))
    best = max(theirs, key=lambda label: theirs[label].mean())
    groups = [pairs[n].group for n in at]
    f_score, low, high = statistics.interval(f_scores[np.newaxis], groups)
    agreement = Agreement(*ours.T)
    stems = np.array([pairs[n].stem for n in at])
    return plain(
        {
            "set": name,
            "images": len(at),
            "groups": len(set(groups)),
            "f": f_score,
            "low": low,
            "high": high,
            "worst": f_scores.min(),
            "precision": agreement.precision.mean(),
            "recall": agreement.recall.mean(),
            "boundary_f": agreement.boundary_f_score.mean(),
            "hd95_px": mean(agreement.hausdorff95_px),
            "missed": np.count_nonzero(f_scores == 0),
            "area_error": np.abs(agreement.area_error).mean(),
            "thresholds": {label: scores.mean() for label, scores in theirs.items()},
            "best_threshold": best,
            "best_of": rules.ranks(best_of).mean(),
            "ahead": {label: stems[scores > f_scores] for label, scores in theirs.items()},
        }
    )


def tables(found):
    """Makes the tables of the numbers that `measure` returned."""
    scores = [
        [
            each["set"] + (" (trains)" if each["trains"] else ""),
            f"{each['images']} ({each['groups']})",
            cell(each["f"]),
            interval(each),
            cell(each["worst"]),
            cell(each["precision"]),
            cell(each["recall"]),
            cell(each["boundary_f"]),
            cell(each["hd95_px"], scale=1),
            each["best_threshold"],
            cell(each["thresholds"][each["best_threshold"]]),
            cell(each["best_of"]),
        ]
        for each in found
    ]
    headings = ["set", "images (groups)", "F", "95 % interval", "worst F", "P", "R"]
    headings += ["boundary F", "HD95, px of 480", "best threshold", "its F", _BEST_OF]
    labels = [label for label in conventional.THRESHOLDS if label in found[0]["ahead"]]
    ahead = [
        [
            each["set"],
            cell(each["images"], scale=1, digits=0),
            *(cell(len(each["ahead"][label]), scale=1, digits=0) for label in labels),
            "yes" if each["thresholds"][each["best_threshold"]] > each["f"] else "no",
        ]
        for each in found
    ]
    return [
        Table("The largest body of each image; percent", headings, scores),
        Table(
            "Images on which a threshold is ahead of the model, and whether the set's best "
            "threshold is ahead on average",
            ["set", "images", *labels, "on average"],
            ahead,
        ),
    ]


def interval(each):
    """Returns the text of an interval."""
    if each["low"] is None:
        return "none"
    return f"{100 * each['low']:.1f} to {100 * each['high']:.1f}"
