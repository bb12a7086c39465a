"""Tests of masks of dense cores, beside the masks of the bodies."""

import numpy as np
import pytest
from PIL import Image

from spheroid_jax import images
from spheroid_jax.data import folder

SIZE = 24


def test_cores_beside_the_masks_are_in_the_labels_with_markers_and_in_no_others(data_root):
    core = np.zeros(np.asarray(Image.open(data_root / "dataset1/masks/dataset1_0.png")).shape, bool)
    core[: len(core) // 2] = True
    path = data_root / "dataset1/cores/dataset1_0.png"
    path.parent.mkdir()
    Image.fromarray(np.where(core, 255, 0).astype(np.uint8)).save(path)
    pairs, _ = folder.find_pairs(data_root, ["dataset1"])
    assert [pair.core for pair in pairs] == [path.resolve(), *[None] * 7]
    _, sample = next(folder.read_samples(data_root, pairs, SIZE, markers=True))
    mask = images.read_mask(pairs[0].mask)
    np.testing.assert_array_equal(
        images.is_core(sample.label), images.is_core(images.labels_to_grid(1 * mask, SIZE, core))
    )
    assert images.is_core(sample.label).any()
    (_, plain), _ = list(folder.read_samples(data_root, pairs[:2], SIZE))
    assert not images.is_core(plain.label).any()


def test_a_core_of_another_size_than_its_image_is_a_problem_of_that_file(data_root):
    path = data_root / "dataset1/cores/dataset1_0.png"
    path.parent.mkdir()
    Image.fromarray(np.full((5, 6), 255, np.uint8)).save(path)
    pairs, _ = folder.find_pairs(data_root, ["dataset1"])
    with pytest.raises(folder.DataRootError, match="cores/dataset1_0.png: 6 x 5 px, and its image"):
        list(folder.read_samples(data_root, pairs, SIZE, markers=True))
