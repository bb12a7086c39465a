"""Tests of `segment`, and of models on disk."""

import json
import subprocess
import sys

import jax
import numpy as np
import pytest
from helpers import ROOT, SIZE, a_run, dark_disk, disk, scaled, thresholding, untrained

import spheroid_jax as sj
from spheroid_jax import images
from spheroid_jax.evaluation import grid_scores
from spheroid_jax.inference import model_file, predict
from spheroid_jax.runtime import files


@pytest.fixture(scope="module")
def model():
    return thresholding()


@pytest.mark.parametrize("shape", [(64, 64), (90, 60), (40, 133)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_segment_gives_mask_and_probability_of_the_images_own_size(model, shape, dtype):
    mask = np.hypot(*np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j])
    mask = mask < 0.6
    image = np.where(mask, 20, 200).astype(dtype)
    found = sj.segment(model, image)
    assert found.mask.shape == found.probability.shape == shape
    assert found.mask.dtype == bool and found.probability.dtype == np.float32
    assert found.probability.min() >= 0 and found.probability.max() <= 1
    overlap = np.count_nonzero(found.mask & mask)
    assert overlap / np.count_nonzero(found.mask | mask) > 0.9


def test_segment_keeps_the_largest_body_and_drops_specks(model, rng):
    image, large = dark_disk(96, (40, 40), 22, rng)
    image[disk(96, (80, 80), 9)] = 70
    found = sj.segment(model, image)
    assert found.mask[40, 40] and not found.mask[80, 80]
    assert found.probability[80, 80] > 0.5  # the probability map still shows the body


def test_segment_does_not_change_its_arguments(model, rng):
    image, _ = dark_disk(64, (30, 30), 15, rng)
    before = image.copy()
    first = sj.segment(model, image)
    second = sj.segment(model, image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(first.probability, second.probability)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((64, 64)), "same value"),
        (np.full((64, 64), np.nan), "NaN"),
        (np.zeros((20, 64)), "at least 32"),
        (np.zeros((3, 64, 64)), "channels come last"),
        (np.zeros(64), "shape"),
    ],
)
def test_segment_refuses_what_it_cannot_use_in_words(model, image, words):
    with pytest.raises(ValueError, match=words):
        sj.segment(model, image)


def test_same_result_alone_and_in_any_batch(rng):
    model = untrained(size=48)
    grids = rng.random((7, 48, 48)).astype(np.float32)
    together = list(grid_scores.probabilities(model, grids))
    assert len(together) == 7
    for n, grid in enumerate(grids):
        (alone,) = grid_scores.probabilities(model, grid[None])
        single = np.asarray(predict.grid_probability(model, grid[None]))[0]
        np.testing.assert_allclose(alone, together[n], atol=1e-6)
        np.testing.assert_allclose(single, together[n], atol=1e-6)


def test_one_program_serves_images_of_all_sizes(rng):
    model = untrained(size=40)
    before = predict.member_probability.compiled()._cache_size()
    for shape in ((50, 50), (64, 100), (200, 40)):
        sj.segment(model, rng.random(shape))
    assert predict.member_probability.compiled()._cache_size() == before + 1


def test_evaluation_ignores_what_lies_outside_the_image(model):
    label = np.full((SIZE, SIZE), images.OUTSIDE, np.uint8)
    label[8:24] = images.BACKGROUND
    label[10:20, 5:15] = images.FOREGROUND
    probability = np.ones((SIZE, SIZE), np.float32)
    probability[8:24] = 0
    probability[10:20, 5:15] = 1
    mask = predict.grid_mask(probability, label)
    np.testing.assert_array_equal(mask, label == images.FOREGROUND)


@pytest.mark.parametrize("norm", ["image", "batch"])
def test_a_saved_model_is_the_same_model(tmp_path, rng, norm):
    model = untrained(norm=norm)
    model_file.save(model, tmp_path / "fold_0" / "model", provenance={"step": 3})
    image = rng.random((50, 60))
    for path in (tmp_path / "fold_0", tmp_path / "fold_0" / "model"):
        loaded = sj.load(path)
        assert loaded.size == SIZE and loaded.network == "multiscale"
        np.testing.assert_array_equal(
            sj.segment(loaded, image).probability, sj.segment(model, image).probability
        )
    assert model_file.provenance(tmp_path / "fold_0") == {"step": 3}


def test_saving_again_replaces_the_model_and_leaves_no_litter(tmp_path):
    model_file.save(untrained(), tmp_path, provenance={})
    model_file.save(thresholding(), tmp_path, provenance={})
    assert model_file.load(tmp_path).network == "unet"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.fixture
def saved(tmp_path):
    model_file.save(untrained(), tmp_path / "model", provenance={})
    return tmp_path


def rewrite(saved, **changes):
    path = saved / "model" / "model.json"
    description = json.loads(path.read_text()) | changes
    files.write_json(path, description)


def test_damaged_weights_are_noticed(saved):
    weights = next((saved / "model").glob("*.npz"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 0xFF
    weights.write_bytes(content)
    with pytest.raises(model_file.ModelError, match="model"):
        sj.load(saved)


def test_another_format_is_refused(saved):
    rewrite(saved, format=99)
    with pytest.raises(model_file.ModelError, match="format 99"):
        sj.load(saved)


def test_weights_of_another_architecture_are_refused(saved):
    rewrite(saved, fields={"width": 3, "depth": 3, "dtype": "float32"})
    with pytest.raises(model_file.ModelError, match="shape"):
        sj.load(saved)


def test_swapped_weights_are_noticed(saved):
    rewrite(saved, sha256="0" * 64)
    with pytest.raises(model_file.ModelError, match="hash"):
        sj.load(saved)


def test_pickled_arrays_are_never_run(saved):
    weights = next((saved / "model").glob("*.npz"))
    with open(weights, "wb") as file:
        np.savez(file, a=np.array([object()], dtype=object))
    with pytest.raises(model_file.ModelError, match="pickle"):
        sj.load(saved)


def test_a_folder_without_a_model_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model here"):
        sj.load(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(FileNotFoundError, match="--mode=evaluate"):
        sj.load(tmp_path)


def test_segmenting_needs_no_tensorflow_optimizer_or_figures(saved, rng):
    script = """
import sys
for name in ("tensorflow", "tensorflow_datasets", "orbax", "optax",
             "matplotlib", "ml_collections", "tensorboardX", "tqdm", "chex"):
    sys.modules[name] = None
import numpy as np
import spheroid_jax as sj
found = sj.segment(sj.load(sys.argv[1]), np.random.rand(64, 80))
assert found.mask.shape == (64, 80)
"""
    subprocess.run([sys.executable, "-c", script, str(saved)], check=True, cwd=ROOT)


def test_a_run_is_loaded_as_the_mean_of_its_five_folds(tmp_path, model, rng):
    five = [scaled(model, f) for f in (1.0, 0.1, 0.03, -0.05, 0.2)]
    ensemble = sj.load(a_run(tmp_path / "run", five))
    image = rng.random((50, 40))
    together = sj.segment(ensemble, image).probability
    alone = [sj.segment(each, image).probability for each in five]
    assert np.ptp(alone, axis=0).max() > 0.3
    np.testing.assert_allclose(together, np.mean(alone, axis=0), atol=1e-6)


def test_an_ensemble_is_a_pytree_that_streams_as_one_model(tmp_path, model, rng):
    ensemble = sj.load(a_run(tmp_path / "run", [model] * 5))
    assert len(jax.tree.leaves(ensemble)) == 5 * len(jax.tree.leaves(model))
    image = rng.random((50, 40))
    (result,) = sj.segment_stream(ensemble, [image])
    np.testing.assert_allclose(
        result.segmentation.probability, sj.segment(model, image).probability, atol=1e-6
    )


def test_an_ensemble_of_fewer_folds_says_which_are_missing(tmp_path, model):
    run = a_run(tmp_path / "run", [model] * 3)
    (run / "fold_4").mkdir()
    with pytest.raises(FileNotFoundError, match="fold_3, fold_4"):
        sj.load(run)
    assert sj.load(run / "fold_0").size == SIZE


def test_flips_average_the_probabilities_of_four_views():
    plain = untrained()
    rng = np.random.default_rng(0)
    grids = rng.random((2, SIZE, SIZE), np.float32)
    axes = ((), (1,), (2,), (1, 2))
    expected = np.mean(
        [np.flip(predict.grid_probability(plain, np.flip(grids, flip)), flip) for flip in axes],
        axis=0,
    )
    found = predict.grid_probability(plain.replace(flips=True), grids)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - predict.grid_probability(plain, grids)).max() > 1e-4


def test_flips_are_kept_on_disk_and_absent_from_models_of_format_1(tmp_path):
    model_file.save(untrained().replace(flips=True), tmp_path, provenance={})
    assert sj.load(tmp_path).flips
    path = tmp_path / model_file.DESCRIPTION
    description = json.loads(path.read_text())
    assert description.pop("flips") is True
    path.write_text(json.dumps(description | {"format": 1}))
    assert not sj.load(tmp_path).flips
