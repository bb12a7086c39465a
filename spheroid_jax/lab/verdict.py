"""Verdicts on images: whether a measurement can be trusted, and why not.

    ok                             measured, and nothing speaks against it
    empty                          no body; not measured
    unreadable                     the file could not be read or used; not measured
    disintegrated                  ragged, and the network is in doubt
    out of focus                   the contour is blurred
    not like the training images   perhaps a body, perhaps not; or scores far from those of bodies
    several                        more than one body, or a crowd that the network cannot tell apart
    border                         the frame cuts the body
    low contrast                   the body hardly stands out from the noise
    debris                         particles around the body

What is measured rests on the presence alone, the log odds that there is a body. Well above the
threshold an image is measured, well below it is not. Near the threshold an image is not like the
training images, and measured only if it lies above. Far below, a crowd of bodies that the network
does not see is "several", and a frame with a dark middle is not like the training images either.

Each check is a pure function of `evidence.Evidence` and the model's `rules.Rules`. `python -m
benchmarks.verdicts` calibrates the rules; docs/evidence/verdicts.md has the confusion table on
images that did not calibrate.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from spheroid_jax.inference import presence as presences
from spheroid_jax.inference.evidence import Evidence
from spheroid_jax.lab.rules import Rules

OK, EMPTY, UNREADABLE = "ok", "empty", "unreadable"


class Verdict(NamedTuple):
    """A verdict on one image.

    Attributes:
      verdict: the gravest finding, or "ok".
      findings: all findings, the gravest first; () where there is none.
      presence: log odds that there is a body; -inf where the network finds nothing.
      measured: whether the image's bodies are measured.
    """

    verdict: str
    findings: tuple[str, ...]
    presence: float
    measured: bool


def judge(evidence: Evidence, rules: Rules) -> Verdict:
    """Judges one image by its scores."""
    odds = presence(evidence, rules)
    measured = odds >= rules.thresholds["presence"]
    if measured or is_in_doubt(odds, rules):
        findings = tuple(name for name, check in CHECKS.items() if check(evidence, rules))
        return Verdict(findings[0] if findings else OK, findings, odds, measured)
    finding = next((name for name, check in UNSEEN.items() if check(evidence, rules)), EMPTY)
    return Verdict(finding, (finding,), odds, measured)


def presence(evidence: Evidence, rules: Rules) -> float:
    """Computes the log odds that there is a body: a logistic regression on the model's scores."""
    return presences.log_odds(dataclasses.asdict(evidence), rules.presence)


def distance(evidence: Evidence, rules: Rules) -> float:
    """Mahalanobis distance of the scores from those of the calibration bodies."""
    scores = presences.standardised(dataclasses.asdict(evidence), rules.presence)
    offset = scores - np.array(rules.centre)
    return math.sqrt(max(float(offset @ np.array(rules.precision) @ offset), 0.0))


def is_in_doubt(odds: float, rules: Rules) -> bool:
    """Whether a presence is near its threshold: an image with a body, or without one."""
    return abs(odds - rules.thresholds["presence"]) < rules.thresholds["presence_margin"]


def is_several(evidence: Evidence, rules: Rules) -> bool:
    """Whether there is more than one body, apart or touching.

    A model with markers counts bodies that touch by itself.
    """
    if not math.isnan(evidence.disbelief):
        return evidence.bodies > 1
    touching = evidence.neck < rules.thresholds["neck"]
    return evidence.bodies > 1 or touching or is_crowded(evidence, rules)


def is_crowded(evidence: Evidence, rules: Rules) -> bool:
    """Whether the image has many compact marks, which the network may take for one or for none."""
    return evidence.crowd >= rules.thresholds["crowd"]


def is_filled(evidence: Evidence, rules: Rules) -> bool:
    """Whether the middle of the frame is dark, as where a body fills the frame."""
    return evidence.dome > rules.thresholds["dome"]


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
    """Whether presence is in doubt, or the scores are unlike those of the calibration bodies."""
    return (
        is_in_doubt(presence(evidence, rules), rules)
        or distance(evidence, rules) > rules.thresholds["distance"]
    )


# The gravest first.
CHECKS: dict[str, Callable[[Evidence, Rules], bool]] = {
    "disintegrated": is_ragged,
    "out of focus": is_blurred,
    "several": is_several,
    "not like the training images": is_unfamiliar,
    "border": is_cut,
    "low contrast": is_faint,
    "debris": is_dirty,
}
# What an image without a body may have that the network does not see; otherwise it is empty.
UNSEEN: dict[str, Callable[[Evidence, Rules], bool]] = {
    "several": is_crowded,
    "not like the training images": is_filled,
}
ALL = (OK, EMPTY, *CHECKS, UNREADABLE)
