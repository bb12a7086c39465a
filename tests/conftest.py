"""Settings of all tests: strict shapes, several CPU devices, small images."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# ruff: noqa: E402  (JAX reads its platform when it is imported)
import pathlib

import jax
import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_num_cpu_devices", 4)
# Tiny arrays run fast anyhow; compiling is what takes the tests' time.
jax.config.update("jax_disable_most_optimizations", True)

# Examples are drawn alike in every run; a busy machine is no failure.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

ROOT = pathlib.Path(__file__).resolve().parents[1]


def disk(size, centre, radius):
    """A boolean (size, size) mask of a disk; centre is (row, column)."""
    rows, columns = np.mgrid[:size, :size]
    distance = np.hypot(rows - centre[0], columns - centre[1])
    return distance <= radius


def dark_disk(size, centre, radius, rng):
    """A noisy uint8 image of a dark disk on a light ground, and its mask."""
    mask = disk(size, centre, radius)
    gray = np.where(mask, 70, 190) + rng.normal(0, 8, mask.shape)
    return gray.clip(0, 255).astype(np.uint8), mask


def write_root(root, counts, *, size=48, seed=0):
    """Writes a data root of dark disks: `counts` images a dataset."""
    rng = np.random.default_rng(seed)
    for dataset, count in counts.items():
        for kind in ("images", "masks"):
            (root / dataset / kind).mkdir(parents=True)
        for n in range(count):
            centre = rng.uniform(0.35, 0.65, 2) * size
            radius = rng.uniform(0.12, 0.25) * size
            image, mask = dark_disk(size, centre, radius, rng)
            name = f"{dataset}_{n}.png"
            Image.fromarray(image).save(root / dataset / "images" / name)
            Image.fromarray(mask.astype(np.uint8) * 255).save(
                root / dataset / "masks" / name
            )
    return root


@pytest.fixture
def rng():
    """A seeded generator."""
    return np.random.default_rng(0)


@pytest.fixture
def data_root(tmp_path):
    """A data root of 8 and 7 small images."""
    return write_root(tmp_path / "root", {"dataset1": 8, "dataset2": 7})
