"""Datasets and masks of a tool, as the tests of scoring write and read them."""

import csv

import numpy as np
from PIL import Image

from spheroid_jax.commands import score as command
from spheroid_jax.evaluation import metrics

SHAPE = (40, 80)


def block(rows, columns, shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask


# Half of either lies in the other.
TRUTH = block((10, 20), (10, 30))
SHIFTED = block((10, 20), (20, 40))


def save(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def add(dataset, stem, truth, image=None):
    """Adds an image to a dataset's folder."""
    gray = np.where(truth, 60, 190) if image is None else image
    for kind in ("images", "masks"):
        (dataset / kind).mkdir(parents=True, exist_ok=True)
    Image.fromarray(gray.astype(np.uint8)).save(dataset / "images" / f"{stem}.png")
    save(dataset / "masks" / f"{stem}.png", truth)


def save_labels(path, labels):
    """Saves a label image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels.astype(np.uint16)).save(path)


def run(*arguments, file="scores.csv"):
    """Runs the command with --output; the rows of the file of scores."""
    given = [*map(str, arguments), "--output=scores"]
    assert command.main(given) == 0
    return rows_of(f"scores/{file}")


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_image(rows, source):
    return {r["image"]: r for r in rows if r["source"] == source}


def numbers(row):
    return {name: float(row[name]) for name in metrics.Agreement._fields}
