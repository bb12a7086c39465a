"""Tests of the scores of probability maps, in memory and on disk."""

import numpy as np
import pytest
from helpers import SIZE, thresholding

from spheroid_jax import images
from spheroid_jax.evaluation import grid_scores, held_out
from spheroid_jax.inference import predict
from spheroid_jax.workdir import Fold


@pytest.fixture(scope="module")
def test_partition():
    """Two images: half of what is found is there; nothing is, or is found."""
    grids = np.ones((2, SIZE, SIZE), np.float32)
    grids[0][4:20, 4:20] = 0  # Found as it is: 256 pixels.
    labels = np.zeros((2, SIZE, SIZE), np.uint8)
    labels[0][4:20, 4:12] = 1
    return grids, labels, [("d1", "a"), ("d2", "b")]


def test_scores_of_known_predictions(test_partition):
    grids, labels, names = test_partition
    maps = grid_scores.probabilities(thresholding(), grids)
    rows = grid_scores.score(maps, labels, names)
    assert [(row.dataset, row.image) for row in rows] == names
    assert {(row.height, row.width) for row in rows} == {(SIZE, SIZE)}
    np.testing.assert_allclose(rows[0].scores[:4], (0.5, 1.0, 2 / 3, 0.5))
    np.testing.assert_allclose(rows[0].scores.area_error, 1.0)
    assert rows[1].scores == (1, 1, 1, 1, 1, 0, 0, 0)


def test_of_a_truth_with_several_bodies_the_largest_counts(test_partition):
    grids, labels, names = (list(part) for part in test_partition)
    labels[0] = np.zeros_like(labels[0])
    labels[0][4:20, 4:20] = 1  # What will be found.
    labels[0][26:30, 4:20] = 1
    maps = grid_scores.probabilities(thresholding(), np.array(grids))
    rows = grid_scores.score(maps, labels, names)
    assert rows[0].scores.f_score == 1.0


def test_validation_counts_each_dataset_the_same(test_partition):
    scores = grid_scores.validation_scores(thresholding(), *test_partition)
    assert scores == {"d1": 2 / 3, "d2": 1.0}
    assert grid_scores.mean_over_datasets(scores) == pytest.approx(5 / 6)


def test_a_dataset_may_be_named_mean(test_partition):
    grids, labels, _ = test_partition
    names = [("mean", "a"), ("d2", "b")]
    scores = grid_scores.validation_scores(thresholding(), grids, labels, names)
    assert scores == {"mean": 2 / 3, "d2": 1.0}
    assert grid_scores.mean_over_datasets(scores) == pytest.approx(5 / 6)


def test_of_a_model_with_markers_half_of_the_score_is_that_of_its_bodies(monkeypatch):
    # Two bodies that touch: the foreground is right, and the markers part them or do not.
    rows, columns = np.mgrid[:SIZE, :SIZE]
    away = np.minimum(*(np.hypot(rows - 14, columns - middle) for middle in (8, 23)))
    label = np.where(away < 7.8, images.FOREGROUND, 0).astype(np.uint8)
    label[away < 4] |= images.MARKER
    foreground = images.is_body(label)
    apart = images.is_marker(label)
    joined = apart.copy()
    joined[12:16, 8:24] = True
    monkeypatch.setattr(predict, "has_markers", lambda params: True)
    for markers, f1 in ((apart, 1.0), (joined, 0.0)):
        maps = np.stack([foreground, markers]).astype(np.float32)
        monkeypatch.setattr(predict, "grid_maps", lambda _, grids, maps=maps: np.stack(4 * [maps]))
        scores = grid_scores.validation_scores(
            thresholding(), np.zeros((1, SIZE, SIZE), np.float32), label[np.newaxis], [("d", "a")]
        )
        assert scores == {"d": (1 + f1) / 2}


def test_maps_on_disk_give_the_scores_they_gave(tmp_path, rng):
    names = [("d", f"image {n}") for n in range(3)]
    maps = rng.random((3, SIZE, SIZE)).astype(np.float32)
    maps[:, 5:15, 8:20] += 1
    maps = maps.clip(0, 1)
    labels = (maps > 0.9).astype(np.uint8)
    grid_scores.write_maps(tmp_path, maps, names)
    back = list(grid_scores.read_maps(tmp_path, names))
    np.testing.assert_allclose(back, maps, atol=0.5 / 255 + 1e-6)
    assert grid_scores.score(back, labels, names) == grid_scores.score(maps, labels, names)


def test_a_model_on_the_test_partition_leaves_maps_scores_and_pictures(tmp_path, test_partition):
    rows = held_out.score(thresholding(), Fold(tmp_path), test_partition)
    read = held_out.read_scores(Fold(tmp_path))
    assert [(row.dataset, row.image) for row in read] == test_partition[2]
    np.testing.assert_allclose(
        [row.scores for row in read], [row.scores for row in rows], atol=1e-6
    )
    maps = held_out.read_maps(Fold(tmp_path), test_partition[2])
    assert grid_scores.score(maps, *test_partition[1:]) == rows
    assert (tmp_path / "examples.png").stat().st_size > 1000


def test_best_median_and_worst_are_by_score():
    assert held_out.ranked([0.2, 0.9, 0.5]) == {"best": 1, "median": 2, "worst": 0}
    assert held_out.ranked([0.4]) == {"best": 0, "median": 0, "worst": 0}
