"""Small pages for the tests of the report."""

import json
import re

import numpy as np
import pytest

from spheroid_jax.evaluation import metrics
from spheroid_jax.report import page, tables

SIZE = 96
NASTY = """</script><b>"Ärger" & 'Co'</b><!-- ]]> ${x} {{ title }} {% raw %} \u2028"""
MODELS = ("base", "adver")
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">'
    b'<circle id="a" cx="9" cy="9" r="8"/></svg>'
)


def blob(rng, size, *, wobble=0.15):
    """A boolean body whose radius waves, somewhere about the middle."""
    row, column = rng.uniform(0.4, 0.6, 2) * size
    rows, columns = np.mgrid[:size, :size]
    angle = np.arctan2(rows - row, columns - column)
    radius = np.ones_like(angle)
    for waves in range(2, 12):
        swing = wobble * rng.normal() / waves
        radius += swing * np.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    radius *= rng.uniform(0.15, 0.3) * size
    return np.hypot(rows - row, columns - column) <= radius


def scored_image(rng, *, size=SIZE, models=MODELS, folds=2, **names):
    """A `ScoredImage` whose scores are those of its masks."""
    truth = blob(rng, size)
    image = np.where(truth, 0.3, 0.8) + rng.normal(0, 0.05, truth.shape)
    predictions = {}
    for model in models:
        masks = [blob(rng, size) for _ in range(folds)]
        scores = [100 * metrics.pixel_scores(m, truth).f_score for m in masks]
        predictions[model] = page.Prediction(
            masks, {"F": np.mean(scores), "HD95 px": np.float32(12.3)}, (min(scores), max(scores))
        )
    names = {"dataset": "dataset1", "name": "a"} | names
    return page.ScoredImage(
        image=image.astype(np.float32), truth=truth, predictions=predictions, **names
    )


def with_score(image, model, score):
    """The image with a model's F, in every fold, replaced."""
    old = image.predictions[model]
    new = old._replace(scores=old.scores | {"F": score}, f_range=(score, score))
    return image._replace(predictions=image.predictions | {model: new})


def table(rows, *, title="Scores", caption="Means.", headings=("model", "F"), groups=()):
    return page.Table(title, caption, tables.Table("", headings, rows, groups))


def write(path, **changes):
    """Writes a page of little but `changes`; returns its text."""
    contents = {"tables": [], "figures": [], "images": [], "facts": []}
    page.write(path, **{"title": "A page", "summary": ["Short."]} | contents | changes)
    return path.read_text("utf-8")


def data_of(text):
    (found,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    return json.loads(found, parse_constant=pytest.fail)
