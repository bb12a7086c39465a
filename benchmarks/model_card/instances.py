"""Part `instances`: frames of many bodies, each of which is found or not.

The scores are those of `spheroid score --instances`, against label images where there are some; and
the F of the largest body, as in part `one-body`.
"""

import time

import numpy as np

import spheroid_jax as sj
from benchmarks import sets
from benchmarks.model_card import one_body
from benchmarks.model_card.numbers import cell, plain
from spheroid_jax.evaluation import statistics
from spheroid_jax.evaluation.matching import InstanceScores
from spheroid_jax.evaluation.score import bodies, pixels, scoring, sources, targets
from spheroid_jax.evaluation.score.rules import mean
from spheroid_jax.report.tables import Table


def measure(given):
    """Scores all sets of many bodies; writes scores and the worst images to instances/.

    Args:
      given: `settings.Given`.

    Returns:
      list with the numbers of each set.
    """
    pairs, trains = one_body.images_of(given, sets.MANY)
    rules = bodies.rules()
    seconds = []
    ours = scoring.score(_timed(sj.load(given.model), seconds), pairs, rules)[0]
    [opened] = sources.open_sources([sources.CONVENTIONAL], pairs, rules, missing_are_empty=False)
    # The last row is a threshold chosen per image, which has no place here.
    thresholds = scoring.score(opened, pairs, rules)[:-1]
    one_body.write(given.out / "instances", given.name, ours, pairs, rules)
    return [
        numbers(name, ours, thresholds, pairs, seconds) | {"trains": trains[name]}
        for name in targets.datasets_of(pairs)
    ]


def _timed(model, seconds):
    """Makes a source of a model's bodies that appends the seconds of each image to a list."""

    def each(pairs, judge):
        sj.segment_objects(model, sj.read_image(pairs[0].image))  # Compiles.
        for pair in pairs:
            image = sj.read_image(pair.image)
            start = time.perf_counter()
            found = sj.segment_objects(model, image)
            seconds.append(time.perf_counter() - start)
            yield judge(pair, {one_body.LABEL: found.labels})

    return sources.Source(one_body.LABEL, [one_body.LABEL], None, each)


def numbers(name, ours, thresholds, pairs, seconds):
    """Returns the numbers of one set.

    Args:
      name: the set.
      ours: `scoring.Row` of the model.
      thresholds: `scoring.Row`s of the thresholds.
      pairs: the images of all sets.
      seconds: the model's time per image of all sets.
    """
    at = [n for n, pair in enumerate(pairs) if pair.dataset == name]
    scores = InstanceScores(*ours.scores[at].T)
    groups = [pairs[n].group for n in at]
    f1, low, high = statistics.interval(scores.f1_50[np.newaxis], groups)
    largest = np.array(
        [_largest_f([row.masks[n].mask() for row in (ours, *thresholds)], pairs[n]) for n in at]
    ).mean(axis=0)
    by_threshold = {
        row.label.removeprefix(sources.CONVENTIONAL).strip(): {
            "f1_50": InstanceScores(*row.scores[at].T).f1_50.mean(),
            "largest_f": largest_f,
        }
        for row, largest_f in zip(thresholds, largest[1:], strict=True)
    }
    taken = np.array(seconds)[at]
    return plain(
        {
            "set": name,
            "images": len(at),
            "groups": len(set(groups)),
            "f1_50": f1,
            "low": low,
            "high": high,
            "f1_80": scores.f1_80.mean(),
            "matched_iou": mean(scores.matched_iou),
            "largest_f": largest[0],
            "true": scores.true.sum(),
            "found": scores.found.sum(),
            "thresholds": by_threshold,
            "seconds": np.median(taken),
            "slowest_s": taken.max(),
        }
    )


def _largest_f(masks, pair):
    """Computes the F of the largest body of each of several label images of one image."""
    rules = pixels.rules(labels=True)
    truth = rules.reduce(rules.read(pair.mask))
    return [rules.score(rules.reduce(largest(labels)), truth).f_score for labels in masks]


def largest(labels):
    """Returns the mask of the body of most pixels; empty without a body."""
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return (labels == areas.argmax()) & (labels > 0)


def tables(found):
    """Makes the table of the numbers that `measure` returned."""
    rows = []
    for each in found:
        thresholds = each["thresholds"]
        bests = [
            max(thresholds, key=lambda label, key=key, by=thresholds: by[label][key])
            for key in ("f1_50", "largest_f")
        ]
        rows.append(
            [
                each["set"] + (" (trains)" if each["trains"] else ""),
                f"{each['images']} ({each['groups']})",
                cell(each["f1_50"]),
                one_body.interval(each),
                cell(each["f1_80"]),
                cell(each["matched_iou"]),
                cell(each["true"], scale=1, digits=0),
                cell(each["found"], scale=1, digits=0),
                cell(each["largest_f"]),
                f"{bests[0]} {100 * thresholds[bests[0]]['f1_50']:.1f}",
                f"{bests[1]} {100 * thresholds[bests[1]]['largest_f']:.1f}",
                cell(each["seconds"], scale=1, digits=2),
                cell(each["slowest_s"], scale=1, digits=2),
            ]
        )
    headings = ["set", "images (groups)", "F1@0.5", "95 % interval", "F1@0.8", "matched IoU"]
    headings += ["true", "found", "F of the largest", "best threshold, F1@0.5"]
    headings += ["best threshold, F of the largest", "s per image", "slowest, s"]
    return [Table("Frames of many bodies; percent", headings, rows)]
