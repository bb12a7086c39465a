"""Rules of scoring bodies: each body of the truth is found or not, whatever its size.

Bodies are as `data.folder.read_bodies` reads them: the numbers of a label image, or the connected
parts of a mask of two values.
"""

import numpy as np
from jaxtyping import Float

from spheroid_jax.data import folder
from spheroid_jax.evaluation import matching
from spheroid_jax.evaluation.score.rules import Rules, mean
from spheroid_jax.inference import conventional, objects, segmentation
from spheroid_jax.report.tables import Cell, percent

_TRUE, _FOUND = "true bodies", "found bodies"


def rules() -> Rules:
    """Makes the rules."""
    return Rules(
        fields=matching.InstanceScores,
        first="f1_50",
        first_heading="F1@0.5",
        read=folder.read_bodies,
        reduce=lambda labels: labels,
        score=matching.instance_scores,
        of_model=_of_model,
        of_threshold=conventional.label_bodies,
        cells=_cells,
        smaller=(),
        unmarked=(_TRUE, _FOUND),
        title="Bodies of truth and prediction, matched above an IoU of 0.5 and of 0.8; means over "
        "images in percent; F1@0.5 with {interval}",
        file="instances.csv",
    )


def _of_model(model, image, prepared, maps):
    """Labels the bodies that a model finds, as `segmentation.segment_objects` does."""
    found = segmentation.find_bodies(model, image, prepared, maps)
    return objects.numbered(found.cutouts, prepared.shape)


def _cells(scores: Float[np.ndarray, "N fields"]) -> dict[str, Cell]:
    fields = matching.InstanceScores(*scores.T)
    return {
        "F1@0.8": percent(mean(fields.f1_80)),
        "matched IoU": percent(mean(fields.matched_iou)),
        _TRUE: Cell(np.sum(fields.true), digits=0),
        _FOUND: Cell(np.sum(fields.found), digits=0),
    }
