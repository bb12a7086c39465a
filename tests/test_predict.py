"""Models on disk, `segment`, and the scores of a fold."""

import json
import subprocess
import sys

import jax
import numpy as np
import pytest
from conftest import ROOT, dark_disk, disk

import spheroid_jax as sj
from spheroid_jax import evaluate, files, images, models, params, predict

NETWORK = {"name": "multiscale", "width": 2, "depth": 3, "dtype": "float32"}
SIZE = 32


def untrained(size=SIZE, **network):
    network = NETWORK | network
    variables = models.initial_variables(models.build(**network), 1, seed=0)
    return params.Params.create(variables, size=size, **network)


def thresholding(size=SIZE):
    """A model that finds what is darker than half: exact by construction.

    A U-Net without depth whose classes are (image, 1 - image), scaled.
    """
    network = {"name": "unet", "width": 1, "depth": 0, "dtype": "float32"}
    variables = jax.tree.map(
        np.zeros_like,
        models.initial_variables(models.build(**network), 1, seed=0),
    )
    weights = variables["params"]
    for name in ("bottom_conv_1", "bottom_conv_2"):
        weights[name]["kernel"][1, 1, 0, 0] = 1.0  # Passes the image on.
    weights["classes"]["kernel"][0, 0, 0] = (50.0, -50.0)
    weights["classes"]["bias"][:] = (-25.0, 25.0)
    return params.Params.create(variables, size=size, **network)


@pytest.fixture(scope="module")
def model():
    return thresholding()


@pytest.mark.parametrize("shape", [(64, 64), (90, 60), (40, 133)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_segment_gives_mask_and_probability_of_the_images_own_size(
    model, shape, dtype
):
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
    assert found.probability[80, 80] > 0.5  # It is in the map all the same.


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
    together = list(evaluate.probabilities(model, grids))
    assert len(together) == 7
    for n, grid in enumerate(grids):
        (alone,) = evaluate.probabilities(model, grid[None])
        single = np.asarray(predict.grid_probability(model, grid[None]))[0]
        np.testing.assert_allclose(alone, together[n], atol=1e-6)
        np.testing.assert_allclose(single, together[n], atol=1e-6)


def test_one_program_serves_images_of_all_sizes(rng):
    model = untrained(size=40)
    before = predict.grid_probability.compiled()._cache_size()
    for shape in ((50, 50), (64, 100), (200, 40)):
        sj.segment(model, rng.random(shape))
    assert predict.grid_probability.compiled()._cache_size() == before + 1


def test_evaluation_ignores_what_lies_outside_the_image(model):
    label = np.full((SIZE, SIZE), images.OUTSIDE, np.uint8)
    label[8:24] = images.BACKGROUND
    label[10:20, 5:15] = images.FOREGROUND
    probability = np.ones((SIZE, SIZE), np.float32)
    probability[8:24] = 0
    probability[10:20, 5:15] = 1
    mask = predict.grid_mask(probability, label)
    np.testing.assert_array_equal(mask, label == images.FOREGROUND)


def test_scores_of_known_predictions(model):
    grids = np.ones((2, SIZE, SIZE), np.float32)
    grids[0][4:20, 4:20] = 0  # Found as it is: 256 pixels.
    labels = np.zeros((2, SIZE, SIZE), np.uint8)
    labels[0][4:20, 4:12] = 1  # Half of what is found.
    rows = evaluate.score(model, grids, labels, [("d1", "a"), ("d2", "b")])
    assert rows[0][:2] == ("d1", "a")
    np.testing.assert_allclose(rows[0][2:], (0.5, 1.0, 2 / 3))
    assert rows[1][2:] == (1.0, 1.0, 1.0)  # Nothing there, nothing found.


ROWS = [
    evaluate.Row("easy", "a", 0.5, 1.0, 2 / 3),
    evaluate.Row("easy", "b", 1.0, 0.5, 2 / 3),
    evaluate.Row("hard", "c", 0.0, 0.0, 0.0),
]


def test_means_are_by_dataset_and_each_dataset_counts_the_same():
    means = evaluate.means(ROWS)
    np.testing.assert_allclose(means["easy"], (0.75, 0.75, 2 / 3))
    np.testing.assert_allclose(means["hard"], (0, 0, 0))
    np.testing.assert_allclose(evaluate.mean_f_score(ROWS), 1 / 3)


def test_the_table_has_a_line_a_dataset_in_percent():
    lines = evaluate.table(ROWS).splitlines()
    assert lines[1].split() == ["easy", "2", "66.67", "75.00", "75.00"]
    assert lines[2].split() == ["hard", "1", "0.00", "0.00", "0.00"]


def test_scores_survive_the_disk(tmp_path):
    path = tmp_path / "scores.csv"
    evaluate.write_scores(path, ROWS)
    back = evaluate.read_scores(path)
    assert [row[:2] for row in back] == [row[:2] for row in ROWS]
    np.testing.assert_allclose(
        [row[2:] for row in back], [row[2:] for row in ROWS], atol=1e-6
    )


@pytest.mark.parametrize("norm", ["image", "batch"])
def test_a_saved_model_is_the_same_model(tmp_path, rng, norm):
    model = untrained(norm=norm)
    params.save(model, tmp_path / "fold_0" / "model", provenance={"step": 3})
    image = rng.random((50, 60))
    for path in (tmp_path / "fold_0", tmp_path / "fold_0" / "model"):
        loaded = sj.load(path)
        assert loaded.size == SIZE and loaded.network == "multiscale"
        np.testing.assert_array_equal(
            sj.segment(loaded, image).probability,
            sj.segment(model, image).probability,
        )
    assert params.provenance(tmp_path / "fold_0") == {"step": 3}


def test_saving_again_replaces_the_model_and_leaves_no_litter(tmp_path):
    params.save(untrained(), tmp_path, provenance={})
    params.save(thresholding(), tmp_path, provenance={})
    assert params.load(tmp_path).network == "unet"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.fixture
def saved(tmp_path):
    params.save(untrained(), tmp_path / "model", provenance={})
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
    with pytest.raises(params.ModelError, match="model"):
        sj.load(saved)


def test_another_format_is_refused(saved):
    rewrite(saved, format=99)
    with pytest.raises(params.ModelError, match="format 99"):
        sj.load(saved)


def test_weights_of_another_architecture_are_refused(saved):
    rewrite(saved, fields={"width": 3, "depth": 3, "dtype": "float32"})
    with pytest.raises(params.ModelError, match="shape"):
        sj.load(saved)


def test_swapped_weights_are_noticed(saved):
    rewrite(saved, sha256="0" * 64)
    with pytest.raises(params.ModelError, match="hash"):
        sj.load(saved)


def test_pickled_arrays_are_never_run(saved):
    weights = next((saved / "model").glob("*.npz"))
    with open(weights, "wb") as file:
        np.savez(file, a=np.array([object()], dtype=object))
    with pytest.raises(params.ModelError, match="pickle"):
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
    subprocess.run(
        [sys.executable, "-c", script, str(saved)], check=True, cwd=ROOT
    )


def test_importing_the_package_is_light():
    script = "import sys, spheroid_jax; print('jax' in sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout
    assert out.strip() == "False"


def test_public_names_are_all_there():
    assert sj.__all__ == [
        "Params",
        "Segmentation",
        "load",
        "read_image",
        "segment",
        "segment_stream",
    ]
    assert all(callable(getattr(sj, name)) for name in sj.__all__)
    with pytest.raises(AttributeError, match="no attribute"):
        sj.nonsense  # noqa: B018
