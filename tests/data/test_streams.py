"""Tests of both streams of batches, and of the samples in the batches."""

import itertools
import time

import numpy as np
import pytest
import tensorflow as tf
from helpers import assert_streams_equal
from jax import numpy as jnp

from spheroid_jax import images
from spheroid_jax.data import arrays, pipeline, sampling
from spheroid_jax.inference import model_file, predict, segmentation

SIZE = 32
DATASETS = ["dataset1", "dataset2"]
TRANSFORMS = list(itertools.product([False, True], [False, True], range(4)))
B, F, X = images.BACKGROUND, images.FOREGROUND, images.OUTSIDE


@pytest.fixture(scope="module")
def samples(shared):
    """The samples of the data root `shared`, and four artificial samples."""
    samples = arrays.load(shared, DATASETS, SIZE)
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, (4, SIZE, SIZE), np.uint8)
    labels[0], labels[1], labels[2] = B, F, X
    pictures = rng.random((4, SIZE, SIZE), np.float32)
    return arrays.Samples(
        samples.pairs,
        np.concatenate([samples.images, pictures]),
        np.concatenate([samples.labels, labels]),
        samples.digests,
    )


def _draws(samples, start=0, stop=45):
    pool = np.arange(len(samples.images))
    return sampling.draw([pool[:-4], pool[-4:]], [1, 1], seed=2, fold=1, start=start, stop=stop)


STREAMS = {"numpy": arrays.batches, "tf": pipeline.batches}
AUGMENTS = {
    "numpy": arrays.augment,
    "tf": lambda array, *transform: (
        pipeline.augment(tf.constant(array), *map(tf.constant, transform))
    ).numpy(),
}
every_stream = pytest.mark.parametrize("stream", ["numpy", "tf"])


# Flips and rotations.


@every_stream
def test_the_sixteen_transforms_reach_each_symmetry_twice(stream):
    array = np.arange(9, dtype=np.float32).reshape(3, 3)
    square = [np.rot90(a, n) for a in (array, array.T) for n in range(4)]
    reached = [AUGMENTS[stream](array, *transform).tobytes() for transform in TRANSFORMS]
    for image in square:
        assert reached.count(image.tobytes()) == 2


@every_stream
def test_flips_come_before_the_turn_and_turns_are_counter_clockwise(stream):
    array = np.array([[1, 2], [3, 4]], np.float32)

    def augmented(*transform):
        return AUGMENTS[stream](array, *transform).tolist()

    assert augmented(False, False, 0) == [[1, 2], [3, 4]]
    assert augmented(True, False, 0) == [[3, 4], [1, 2]]
    assert augmented(False, True, 0) == [[2, 1], [4, 3]]
    assert augmented(False, False, 1) == [[2, 4], [1, 3]]
    assert augmented(True, False, 1) == [[4, 2], [3, 1]]


@every_stream
def test_image_and_label_move_together(stream):
    # Each image equals its label, so both must move in the same way.
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, (2, SIZE, SIZE), np.uint8)
    samples = arrays.Samples([], labels.astype(np.float32), labels, [])
    vertical, horizontal, turns = map(np.array, zip(*TRANSFORMS * 2, strict=True))
    draws = sampling.Draws(np.arange(32) // 16, vertical, horizontal, turns.astype(np.int32))
    seen = set()
    for batch in STREAMS[stream](samples, draws, 4):
        np.testing.assert_array_equal(batch["label"], batch["image"])
        seen |= {image.tobytes() for image in batch["image"]}
    assert len(seen) == 16


# The streams.


@every_stream
@pytest.mark.parametrize("batch_size", [1, 4])
def test_batches_have_their_types_shapes_and_ranges(samples, stream, batch_size):
    draws = _draws(samples, stop=9)
    stream = list(STREAMS[stream](samples, draws, batch_size))
    assert len(stream) == 9 // batch_size
    for batch in stream:
        assert {name: (v.shape, v.dtype) for name, v in batch.items()} == {
            "image": ((batch_size, SIZE, SIZE), np.float32),
            "label": ((batch_size, SIZE, SIZE), np.uint8),
        }
        assert all(isinstance(value, np.ndarray) for value in batch.values())
        assert batch["image"].min() >= 0
        assert batch["image"].max() <= 1
        assert set(np.unique(batch["label"])) <= {B, F, X}


@pytest.mark.parametrize("batch_size", [1, 4, 7, 45, 46])
def test_both_streams_are_equal_to_the_last_bit(samples, batch_size):
    draws = _draws(samples)
    assert_streams_equal(
        pipeline.batches(samples, draws, batch_size), arrays.batches(samples, draws, batch_size)
    )


def test_the_stream_is_what_the_draws_say(samples):
    draws = _draws(samples)
    stream = pipeline.batches(samples, draws, 1)
    for batch, (index, vertical, horizontal, turns) in zip(
        stream, zip(*draws, strict=True), strict=True
    ):
        image = samples.images[index]
        image = np.flipud(image) if vertical else image
        image = np.fliplr(image) if horizontal else image
        np.testing.assert_array_equal(batch["image"][0], np.rot90(image, turns))


def test_the_stream_depends_on_neither_threads_nor_prefetching(samples, monkeypatch):
    draws = _draws(samples)
    streams = [list(pipeline.batches(samples, draws, 4))]
    for parallel in (1, 7, tf.data.AUTOTUNE):
        monkeypatch.setattr(pipeline.tf.data, "AUTOTUNE", parallel)
        streams.append(list(pipeline.batches(samples, draws, 4)))
    for stream in streams[1:]:
        assert_streams_equal(streams[0], stream)


def test_a_slow_sample_is_not_overtaken(samples, monkeypatch):
    draws = _draws(samples)
    augment = pipeline.augment

    def waiting(label):
        time.sleep(0.0 if label.any() else 0.1)
        return label

    def slow(array, *transform):
        if array.dtype == tf.uint8:
            waited = tf.numpy_function(waiting, [array], tf.uint8)
            array = tf.ensure_shape(waited, array.shape)
        return augment(array, *transform)

    monkeypatch.setattr(pipeline, "augment", slow)
    monkeypatch.setattr(pipeline.tf.data, "AUTOTUNE", 8)
    empty = ~samples.labels[draws.index].any(axis=(1, 2))
    assert empty[:-8].any()
    assert_streams_equal(pipeline.batches(samples, draws, 4), arrays.batches(samples, draws, 4))


@every_stream
@pytest.mark.parametrize("start", [1, 8])
def test_a_resumed_stream_is_the_tail_of_the_whole(samples, stream, start):
    whole = STREAMS[stream](samples, _draws(samples), 5)
    tail = STREAMS[stream](samples, _draws(samples, start=5 * start), 5)
    assert_streams_equal(list(whole)[start:], tail)


# Reading of the samples.


def test_training_and_segment_see_the_same_array(shared, monkeypatch):
    seen = []

    def grid_probability(params, grids):
        seen.append(np.asarray(grids))
        return jnp.zeros(grids.shape, jnp.float32)

    monkeypatch.setattr(predict, "grid_probability", grid_probability)
    samples = arrays.load(shared, DATASETS, SIZE)
    params = model_file.Params.create({}, name="unet", size=SIZE)
    for pair, grid in zip(samples.pairs, samples.images, strict=True):
        image = images.read_image(pair.image)
        segmentation.segment(params, image)
        np.testing.assert_array_equal(seen.pop(), grid[np.newaxis])
        np.testing.assert_array_equal(images.preprocess(image, SIZE)[0], grid)


@every_stream
def test_an_untransformed_batch_is_what_segment_sees(samples, shared, monkeypatch, stream):
    seen = []
    monkeypatch.setattr(
        predict, "grid_probability", lambda _, grids: seen.append(grids) or jnp.asarray(grids)
    )
    count = len(samples.pairs)
    params = model_file.Params.create({}, name="unet", size=SIZE)
    still = np.zeros(count, bool)
    draws = sampling.Draws(np.arange(count), still, still, still.astype(np.int32))
    for pair, batch in zip(samples.pairs, STREAMS[stream](samples, draws, 1), strict=True):
        image = images.read_image(pair.image)
        segmentation.segment(params, image)
        assert batch["image"].dtype == seen[-1].dtype
        np.testing.assert_array_equal(batch["image"], seen[-1])


def test_what_lies_beyond_an_image_is_outside_and_repeats_its_edge(shared):
    samples = arrays.load(shared, DATASETS, SIZE)
    # 40 x 64 px on 32 px: 20 rows, 6 px from the top; 60 x 36: 19 columns.
    inside = {"wide": np.s_[6:26, :], "tall": np.s_[:, 6:25], "small": np.s_[:, :]}
    for stem, region in inside.items():
        (n,) = samples.positions("dataset1", [stem])
        label, grid = samples.labels[n], samples.images[n]
        expected = np.ones((SIZE, SIZE), bool)
        expected[region] = False
        np.testing.assert_array_equal(label == X, expected)
        assert (label == F).any()
        if stem == "wide":
            assert (grid[:6] == grid[6]).all()
            assert (grid[26:] == grid[25]).all()
            assert np.ptp(grid[6]) > 0


def test_positions_are_those_of_the_named_images(samples):
    at = samples.positions("dataset2", ["dataset2_5", "dataset2_0"])
    assert at.dtype == np.int64
    assert [samples.pairs[n][:2] for n in at] == [
        ("dataset2", "dataset2_5"),
        ("dataset2", "dataset2_0"),
    ]
