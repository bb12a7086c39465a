"""Part `empties`: images without a body, and images with one, drawn and real.

Two things can go wrong in an image without a body: it gets a mask, or `spheroid measure` measures
it. The seeds of the drawn images are used by no training and no calibration.
"""

import collections
import itertools

import numpy as np

import spheroid_jax as sj
from benchmarks import other_drawings, verdicts
from benchmarks.model_card.numbers import cell, plain
from spheroid_jax import images
from spheroid_jax.data import folder
from spheroid_jax.lab import rules, verdict
from spheroid_jax.report.tables import Table

SEED = 909  # verdicts.py has 101 and 202, configs/ have 0 to 3
OTHER = 500  # number of the first of the other drawings; verdicts.py has 0 to 19
COUNT = 50
# Real images without a body, by their folder below DIR.
REAL = {
    "no-body": "training/no-body/images",
    "whole Incucyte wells": "odd/spheroscan-incucyte",
}


def drawn(count):
    """Yields group, whether there is a body, kind and image of drawn images, `count` per group."""
    per_kind = -(-count // len(verdicts.failures.EMPTY))
    for kind, image in spread(verdicts.empty_images(SEED, per_kind), count):
        yield "drawn, empty", False, kind, image
    for kind, number in round_robin(other_drawings.EMPTY, count):
        yield "other drawings, empty", False, kind, other_drawings.draw(kind, OTHER + number)
    # Three kinds in turn.
    for kind, image, _ in itertools.islice(verdicts.body_images(SEED, count), count):
        yield "drawn, one body", True, kind, image
    for kind, number in round_robin(other_drawings.BODIES, count):
        yield "other drawings, one body", True, kind, other_drawings.draw(kind, OTHER + number)


def spread(drawings, count):
    """Returns `count` drawings that are spread evenly over all, so that each kind has its share."""
    found = list(drawings)
    return [found[n * len(found) // count] for n in range(count)]


def round_robin(kinds, count):
    """Yields `count` pairs of a kind and a number, all kinds in turn."""
    names = list(kinds)
    for n in range(count):
        yield names[n % len(names)], n // len(names)


def real(data, every):
    """Yields group, whether there is a body, kind and image of real images without a body."""
    for name, place in REAL.items():
        if (data / place).is_dir():
            paths, _ = folder.by_stem(data / place)
            for path in list(paths.values())[::every]:
                yield name, False, "", sj.read_image(path)


def measure(given):
    """Looks at all images.

    Args:
      given: `settings.Given`.

    Returns:
      dict with "rules", the model whose rules judge, and "images", a list with one dict per image.
    """
    params = sj.load(given.model)
    model_rules, of = rules.load(given.model)
    looked = [
        {"group": group, "body": body, "kind": kind} | look(params, model_rules, image)
        for group, body, kind, image in itertools.chain(
            drawn(given.count(COUNT)), real(given.data, given.every)
        )
    ]
    return {"rules": of, "images": plain(looked)}


def look(params, model_rules, image):
    """Returns the number of bodies found, the highest confidence, and the verdict of one image."""
    try:
        found = sj.segment_objects(params, image)
        judged = verdict.judge(verdicts.evidence_of(params, image), model_rules)
    except images.ImageError:  # As of an image of one gray.
        return {"found": 0, "confidence": 0.0, "verdict": verdict.UNREADABLE, "measured": False}
    return {
        "found": len(found.confidence),
        "confidence": float(np.max(found.confidence, initial=0.0)),
        "verdict": judged.verdict,
        "measured": judged.measured,
    }


def tables(found):
    """Makes the tables of what `measure` returned: by group, and by kind."""
    rows = found["images"]
    groups = list(dict.fromkeys(row["group"] for row in rows))
    by_group = []
    for group in groups:
        own = [row for row in rows if row["group"] == group]
        body = own[0]["body"]
        confidence = (min if body else max)(row["confidence"] for row in own)
        by_group.append([group, *_counts(own), cell(confidence, scale=1, digits=2)])
    by_kind = []
    for group, kind in dict.fromkeys((row["group"], row["kind"]) for row in rows):
        own = [row for row in rows if (row["group"], row["kind"]) == (group, kind)]
        said = collections.Counter(row["verdict"] for row in own)
        verdicts_text = ", ".join(f"{name} {count}" for name, count in said.most_common())
        by_kind.append([group, kind, *_counts(own), verdicts_text])
    counts = ["images", "with a mask", "measured"]
    worst = "highest confidence of an empty one, lowest of a body"
    return [
        Table(
            f"Images without a body and with one; verdicts by the rules of {found['rules']}",
            ["images of", *counts, worst],
            by_group,
        ),
        Table("The same by kind", ["images of", "kind", *counts, "verdicts"], by_kind),
    ]


def _counts(rows):
    return [
        cell(count, scale=1, digits=0)
        for count in (
            len(rows),
            sum(row["found"] > 0 for row in rows),
            sum(row["measured"] for row in rows),
        )
    ]
