"""Verdicts on images: whether a measurement can be trusted, and why not.

    ok                             measured, and nothing speaks against it
    empty                          no body; not measured
    unreadable                     the file could not be read or used; not measured
    several                        more than one body
    border                         the frame cuts the body
    out of focus                   the contour is blurred
    low contrast                   the body hardly stands out from the noise
    debris                         particles around the body
    disintegrated                  ragged, and the network is in doubt
    not like the training images   the scores together are unlike those of the calibration images

Each check is a pure function of `evidence.Evidence` and the model's `rules.Rules`. `python -m
benchmarks.verdicts` calibrates the rules; docs/evidence/verdicts.md has the confusion table on
images that did not calibrate.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from spheroid_jax.lab.evidence import Evidence
from spheroid_jax.lab.rules import Rules

OK, EMPTY, UNREADABLE = "ok", "empty", "unreadable"
# Verdicts whose image is not measured.
REFUSED = (EMPTY, UNREADABLE)
# Scores whose logarithm counts, each with what is added first; the others count as they are.
_LOGARITHMS = {
    "doubt": 0.01,
    "unsure": 0.02,
    "contrast": 0.02,
    "edge_contrast": 0.02,
    "texture_ratio": 0.01,
    "relief": 0.01,
    "ellipse_error": 0.005,
}
SCORES = (*_LOGARITHMS, "share")
# A score that is far off counts no more than this many standard deviations.
CLIPPED = 4.0


class Verdict(NamedTuple):
    """A verdict on one image.

    Attributes:
      verdict: the gravest finding, or "ok".
      findings: all findings, the gravest first; () where there is none.
      presence: log odds that there is a body; -inf where the network finds nothing.
    """

    verdict: str
    findings: tuple[str, ...]
    presence: float


def judge(evidence: Evidence, rules: Rules) -> Verdict:
    """Judges one image by its scores."""
    if not evidence.share:
        return Verdict(EMPTY, (EMPTY,), -math.inf)
    odds = presence(evidence, rules)
    if odds < rules.thresholds["presence"]:
        return Verdict(EMPTY, (EMPTY,), odds)
    findings = tuple(name for name, check in CHECKS.items() if check(evidence, rules))
    return Verdict(findings[0] if findings else OK, findings, odds)


def presence(evidence: Evidence, rules: Rules) -> float:
    """Computes the log odds that there is a body: a logistic regression on eight scores."""
    scores = standardised(evidence, rules)
    weights = [rules.weights[name] for name in SCORES]
    return float(rules.intercept + scores @ np.array(weights))


def standardised(evidence: Evidence, rules: Rules) -> np.ndarray:
    """Returns the eight scores of `SCORES` with mean 0 and standard deviation 1, clipped."""
    values = raw_scores(evidence)
    scores = [(values[name] - rules.mean[name]) / rules.sd[name] for name in SCORES]
    return np.clip(np.nan_to_num(scores), -CLIPPED, CLIPPED)


def raw_scores(evidence: Evidence) -> dict[str, float]:
    """Returns the scores that presence rests on, as logarithms where they count as such."""
    values = {name: getattr(evidence, name) for name in SCORES}
    return values | {
        name: math.log(max(values[name] + floor, 1e-6)) for name, floor in _LOGARITHMS.items()
    }


def distance(evidence: Evidence, rules: Rules) -> float:
    """Mahalanobis distance of the scores from those of the calibration bodies."""
    offset = standardised(evidence, rules) - np.array(rules.centre)
    return math.sqrt(max(float(offset @ np.array(rules.precision) @ offset), 0.0))


def is_several(evidence: Evidence, rules: Rules) -> bool:
    """Whether there is more than one body."""
    return evidence.bodies > 1


def is_cut(evidence: Evidence, rules: Rules) -> bool:
    """Whether the frame cuts the body."""
    return evidence.border > rules.thresholds["border"]


def is_blurred(evidence: Evidence, rules: Rules) -> bool:
    """Whether the contour is blurred."""
    return evidence.blur > rules.thresholds["blur"]


def is_faint(evidence: Evidence, rules: Rules) -> bool:
    """Whether the body hardly stands out from the noise."""
    return evidence.signal_to_noise < rules.thresholds["signal_to_noise"]


def is_dirty(evidence: Evidence, rules: Rules) -> bool:
    """Whether there are particles around the body."""
    return evidence.specks > rules.thresholds["specks"]


def is_ragged(evidence: Evidence, rules: Rules) -> bool:
    """Whether the body is ragged and the network is in doubt about it."""
    return (
        evidence.solidity < rules.thresholds["solidity"]
        and evidence.doubt > rules.thresholds["ragged_doubt"]
    )


def is_unfamiliar(evidence: Evidence, rules: Rules) -> bool:
    """Whether the scores together are unlike those of the calibration bodies."""
    return distance(evidence, rules) > rules.thresholds["distance"]


# The gravest first.
CHECKS: dict[str, Callable[[Evidence, Rules], bool]] = {
    "disintegrated": is_ragged,
    "not like the training images": is_unfamiliar,
    "several": is_several,
    "border": is_cut,
    "out of focus": is_blurred,
    "low contrast": is_faint,
    "debris": is_dirty,
}
ALL = (OK, EMPTY, *CHECKS, UNREADABLE)
