"""Tests from the data root to batches: weights, records, both streams."""

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
import types

import numpy as np
import pytest
import tensorflow as tf
from helpers import ROOT, write_root
from PIL import Image

from spheroid_jax import images
from spheroid_jax.data import arrays, dataset, folder, partitions, pipeline, records, sampling
from spheroid_jax.inference import predict
from spheroid_jax.workdir import FOLDS, Workdir

SIZE = 32
DATASETS = ["dataset1", "dataset2"]
SHARES = {"dataset1": 70.0, "dataset2": 30.0}
SHAPES = {"wide": (40, 64), "tall": (60, 36), "small": (32, 32)}
TRANSFORMS = list(itertools.product([False, True], [False, True], range(4)))
B, F, X = images.BACKGROUND, images.FOREGROUND, images.OUTSIDE


def _add_odd_shapes(root):
    """Adds images that are not square, in 16 bit and colour, to dataset1."""
    rng = np.random.default_rng(5)
    for stem, (height, width) in SHAPES.items():
        pixels = rng.integers(0, 4000, (height, width), np.uint16)
        picture = Image.fromarray(pixels)
        if stem == "tall":
            picture = Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8))
        picture.save(root / f"dataset1/images/{stem}.png")
        mask = np.zeros((height, width), np.uint8)
        mask[8:20, 9:30] = 1
        Image.fromarray(mask).save(root / f"dataset1/masks/{stem}.bmp")
    return root


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A data root of 11 and 8 images that no test changes."""
    root = tmp_path_factory.mktemp("data") / "root"
    return _add_odd_shapes(write_root(root, dict.fromkeys(DATASETS, 8)))


@pytest.fixture(scope="module")
def samples(shared):
    """The samples of `shared`, and four that no file would give."""
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


def _assert_streams_equal(one, other):
    one, other = list(one), list(other)
    assert len(one) == len(other)
    for batch, twin in zip(one, other, strict=True):
        assert batch.keys() == twin.keys()
        for name, values in batch.items():
            assert values.dtype == twin[name].dtype
            np.testing.assert_array_equal(values, twin[name])


def _assert_samples_equal(one, other):
    assert one.pairs == other.pairs
    assert one.digests == other.digests
    for name in ("images", "labels"):
        values, twin = getattr(one, name), getattr(other, name)
        assert values.dtype == twin.dtype
        np.testing.assert_array_equal(values, twin)


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
    # The picture of a sample is its own label: whatever moves one moves all.
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
    _assert_streams_equal(
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
        _assert_streams_equal(streams[0], stream)


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
    _assert_streams_equal(pipeline.batches(samples, draws, 4), arrays.batches(samples, draws, 4))


@every_stream
@pytest.mark.parametrize("start", [1, 8])
def test_a_resumed_stream_is_the_tail_of_the_whole(samples, stream, start):
    whole = STREAMS[stream](samples, _draws(samples), 5)
    tail = STREAMS[stream](samples, _draws(samples, start=5 * start), 5)
    _assert_streams_equal(list(whole)[start:], tail)


# Reading and records.


def test_training_and_segment_see_the_same_array(shared, monkeypatch):
    seen = []

    def grid_probability(params, grids):
        seen.append(np.asarray(grids))
        return np.zeros(grids.shape, np.float32)

    monkeypatch.setattr(predict, "grid_probability", grid_probability)
    samples = arrays.load(shared, DATASETS, SIZE)
    params = types.SimpleNamespace(size=SIZE)
    for pair, grid in zip(samples.pairs, samples.images, strict=True):
        image = images.read_image(pair.image)
        predict.segment(params, image)
        np.testing.assert_array_equal(seen.pop(), grid[np.newaxis])
        np.testing.assert_array_equal(images.preprocess(image, SIZE)[0], grid)


@every_stream
def test_an_untransformed_batch_is_what_segment_sees(samples, shared, monkeypatch, stream):
    seen = []
    monkeypatch.setattr(predict, "grid_probability", lambda _, grids: seen.append(grids) or grids)
    count = len(samples.pairs)
    still = np.zeros(count, bool)
    draws = sampling.Draws(np.arange(count), still, still, still.astype(np.int32))
    for pair, batch in zip(samples.pairs, STREAMS[stream](samples, draws, 1), strict=True):
        image = images.read_image(pair.image)
        predict.segment(types.SimpleNamespace(size=SIZE), image)
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


def _load(root, cache, datasets=DATASETS, size=SIZE):
    return records.load(root, datasets, size, cache)


def _kept(cache):
    """The folders of finished records in a cache."""
    return sorted(file.parents[2] for file in cache.rglob("dataset_info.json"))


@pytest.fixture
def reads(monkeypatch):
    """Counts how often the images are read; `read_samples` still does it."""
    calls = []
    read_samples = folder.read_samples

    def counted(*arguments):
        calls.append(arguments)
        return read_samples(*arguments)

    monkeypatch.setattr(folder, "read_samples", counted)
    return calls


def test_records_give_the_samples_of_the_files(shared, tmp_path):
    for _ in range(2):
        _assert_samples_equal(_load(shared, tmp_path), arrays.load(shared, DATASETS, SIZE))


def test_records_are_made_once(data_root, tmp_path, reads):
    _load(data_root, tmp_path / "cache")
    assert len(reads) == 1
    _load(data_root, tmp_path / "cache")
    assert len(reads) == 1


def test_making_records_prints_nothing(data_root, tmp_path, capfd):
    _load(data_root, tmp_path / "cache")
    printed, _ = capfd.readouterr()
    assert printed == ""


def _change_mask(root):
    path = root / "dataset1/masks/dataset1_2.png"
    Image.fromarray(np.asarray(Image.open(path))[::-1]).save(path)


def _add_pair(root):
    for kind in ("images", "masks"):
        path = root / "dataset2" / kind
        shutil.copy(path / "dataset2_0.png", path / "dataset2_00.png")


def _remove_pair(root):
    for kind in ("images", "masks"):
        (root / "dataset2" / kind / "dataset2_0.png").unlink()


@pytest.mark.parametrize("change", [_change_mask, _add_pair, _remove_pair])
def test_a_changed_root_is_noticed_and_its_old_records_go(data_root, tmp_path, reads, change):
    cache = tmp_path / "cache"
    before = _load(data_root, cache)
    (old,) = _kept(cache)
    change(data_root)
    after = _load(data_root, cache)
    assert len(reads) == 2
    assert after.digests != before.digests
    _assert_samples_equal(after, arrays.load(data_root, DATASETS, SIZE))
    (new,) = _kept(cache)
    assert new != old
    assert not old.exists()


def test_a_fault_of_the_root_since_the_records_is_noticed(data_root, tmp_path):
    _load(data_root, tmp_path / "cache")
    alone = data_root / "dataset1/images/without_mask.png"
    shutil.copy(data_root / "dataset1/images/dataset1_0.png", alone)
    with pytest.raises(folder.DataRootError, match="without_mask.png: no mask"):
        _load(data_root, tmp_path / "cache")
    alone.unlink()
    assert len(_load(data_root, tmp_path / "cache").pairs) == 15


def test_roots_datasets_and_sizes_share_a_cache_unharmed(data_root, tmp_path, reads):
    other = write_root(tmp_path / "other", {"dataset1": 2, "dataset2": 1})
    cache = tmp_path / "cache"
    calls = [
        (data_root, cache),
        (other, cache),
        (other, cache, ["dataset1"]),
        (other, cache, ["dataset2", "dataset1"]),
        (other, cache, DATASETS, 40),
    ]
    first = [_load(*call) for call in calls]
    assert len(reads) == len(_kept(cache)) == 5
    again = [_load(*call) for call in calls]
    assert len(reads) == 5
    for one, other in zip(first, again, strict=True):
        _assert_samples_equal(one, other)
    assert first[4].images.shape == (3, 40, 40)
    assert [pair.dataset for pair in first[3].pairs] == [*("dataset2", "dataset1", "dataset1")]


def test_a_bad_image_leaves_no_records_until_it_is_mended(data_root, tmp_path):
    cache = tmp_path / "cache"
    path = data_root / "dataset2/images/dataset2_4.png"
    (data_root / "dataset1/masks/dataset1_7.png").rename(tmp_path / "mask.png")
    whole = path.read_bytes()
    path.write_bytes(whole[:300])
    for _ in range(2):
        with pytest.raises(folder.DataRootError) as raised:
            _load(data_root, cache)
        unpaired, damaged = raised.value.problems
        assert "dataset1_7.png: no mask" in unpaired
        assert damaged.startswith(f"{path}: ")
        assert not _kept(cache)
    path.write_bytes(whole)
    shutil.move(tmp_path / "mask.png", data_root / "dataset1/masks/dataset1_7.png")
    _assert_samples_equal(_load(data_root, cache), arrays.load(data_root, DATASETS, SIZE))


@pytest.mark.parametrize("missing", ["dataset_info.json", "everything but a half-written file"])
def test_what_a_killed_run_left_is_made_anew(data_root, tmp_path, reads, missing):
    cache = tmp_path / "cache"
    expected = _load(data_root, cache)
    finished = next(cache.rglob("dataset_info.json")).parent
    if missing == "dataset_info.json":
        (finished / missing).unlink()
    else:
        left = finished.with_name(f"{finished.name}.incompleteA1B2C3")
        shutil.rmtree(finished)
        left.mkdir()
        (left / "spheroids-train.tfrecord-00000-of-00001").write_bytes(b"12")
    _assert_samples_equal(_load(data_root, cache), expected)
    assert len(reads) == 2
    assert not list(cache.rglob("*incomplete*"))


@pytest.mark.parametrize("kept", [0, 5000])
def test_damaged_records_are_an_error_that_says_what_to_do(data_root, tmp_path, kept):
    cache = tmp_path / "cache"
    _load(data_root, cache)
    (file,) = cache.rglob("*.tfrecord*")
    (directory,) = _kept(cache)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(OSError, match="damaged records; remove this") as error:
        _load(data_root, cache)
    assert str(error.value).startswith(f"{directory}: ")
    shutil.rmtree(directory)
    assert len(_load(data_root, cache).pairs) == 15


# The data set of a work directory.


def _open(root, tmp_path, *, stream="numpy", shares=SHARES, workdir="work"):
    return dataset.open_dataset(
        root,
        shares,
        size=SIZE,
        stream=stream,
        cache=tmp_path / "cache",
        workdir=Workdir(tmp_path / workdir),
    )


def _batches(opened, *, fold=0, start=0, stop=6):
    return list(opened.batches(seed=1, fold=fold, start=start, stop=stop, batch_size=3))


@every_stream
def test_opening_writes_the_partitions_of_all_datasets(data_root, tmp_path, stream):
    opened = _open(data_root, tmp_path, stream=stream)
    written = json.loads((tmp_path / "work/partitions.json").read_text())
    assert opened.partitions == written["partitions"]
    for name, count in (("dataset1", 8), ("dataset2", 7)):
        stems = [f"{name}_{n}" for n in range(count)]
        assert sorted(sum(opened.partitions[name], [])) == stems
        assert list(written["digests"][name]) == stems


def test_groups_of_the_root_stay_in_one_partition(data_root, tmp_path):
    (data_root / "dataset1/groups.csv").write_text(
        "stem,group\ndataset1_0,well\ndataset1_3,well\ndataset1_6,well\n"
    )
    parts = _open(data_root, tmp_path).partitions["dataset1"]
    assert ["dataset1_0", "dataset1_3", "dataset1_6"] in parts


def test_a_partition_is_its_images_of_all_datasets(data_root, tmp_path):
    opened = _open(data_root, tmp_path)
    seen = []
    for number in range(partitions.PARTITIONS):
        grids, labels, names = opened.partition(number)
        assert names == [
            (name, stem) for name in DATASETS for stem in opened.partitions[name][number]
        ]
        assert grids.dtype == np.float32
        assert labels.dtype == np.uint8
        for grid, label, (name, stem) in zip(grids, labels, names, strict=True):
            path = data_root / name / "images" / f"{stem}.png"
            image = images.read_image(path)
            np.testing.assert_array_equal(grid, images.preprocess(image, SIZE)[0])
            mask = images.read_mask(data_root / name / "masks" / path.name)
            np.testing.assert_array_equal(label, images.mask_to_grid(mask, SIZE))
        seen += names
    assert len(seen) == len(set(seen)) == 15


@every_stream
def test_a_fold_streams_its_training_images_and_no_others(data_root, tmp_path, stream):
    def pixels(grid):  # the same for all flips and rotations
        return np.sort(grid, axis=None).tobytes()

    opened = _open(data_root, tmp_path, stream=stream)
    fold = 2
    streamed = {
        pixels(grid) for batch in _batches(opened, fold=fold, stop=60) for grid in batch["image"]
    }
    trained = {pixels(grid) for number in {0, 1, 3, 4} for grid in opened.partition(number)[0]}
    assert streamed == trained
    for number in (fold, partitions.TEST):
        for grid in opened.partition(number)[0]:
            assert pixels(grid) not in streamed


def test_both_streams_of_a_fold_are_equal_and_resume_each_other(data_root, tmp_path):
    by_name = {
        stream: _open(data_root, tmp_path, stream=stream, workdir=stream) for stream in STREAMS
    }
    whole = _batches(by_name["numpy"])
    assert len(whole) == 6
    _assert_streams_equal(whole, _batches(by_name["tf"]))
    for opened in by_name.values():
        _assert_streams_equal(whole[4:], _batches(opened, start=4))


def test_folds_stream_different_samples(data_root, tmp_path):
    opened = _open(data_root, tmp_path)
    first = {_batches(opened, fold=fold, stop=2)[1]["image"].tobytes() for fold in range(FOLDS)}
    assert len(first) == FOLDS


@pytest.mark.parametrize("names", [DATASETS, DATASETS[::-1]])
def test_a_reopened_work_directory_goes_on_with_the_same_stream(data_root, tmp_path, names):
    shares = {name: SHARES[name] for name in names}
    whole = _batches(_open(data_root, tmp_path, shares=shares))
    again = _open(data_root, tmp_path, shares=shares)
    _assert_streams_equal(whole[2:], _batches(again, start=2))


@every_stream
def test_another_root_in_a_work_directory_is_refused(data_root, tmp_path, stream):
    _open(data_root, tmp_path, stream=stream)
    _change_mask(data_root)
    with pytest.raises(ValueError, match="changed dataset1/dataset1_2"):
        _open(data_root, tmp_path, stream=stream)


@every_stream
def test_a_faulty_root_is_refused_and_begins_no_work_directory(data_root, tmp_path, stream):
    (data_root / "dataset1/masks/dataset1_2.png").unlink()
    with pytest.raises(folder.DataRootError, match="dataset1_2.png: no mask"):
        _open(data_root, tmp_path, stream=stream)
    assert not (tmp_path / "work").exists()


_WITHOUT_TENSORFLOW = """
import hashlib, sys
sys.modules["tensorflow"] = None
sys.modules["tensorflow_datasets"] = None
from spheroid_jax.data import dataset
from spheroid_jax.workdir import Workdir
root, workdir, stream = sys.argv[1:]
opened = dataset.open_dataset(
    root,
    {"dataset1": 70.0, "dataset2": 30.0},
    size=32,
    stream=stream,
    cache=workdir,
    workdir=Workdir(workdir),
)
digest = hashlib.sha256()
for batch in opened.batches(seed=1, fold=0, start=0, stop=6, batch_size=3):
    for name in sorted(batch):
        digest.update(batch[name].tobytes())
print(digest.hexdigest())
"""


def _without_tensorflow(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", _WITHOUT_TENSORFLOW, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_numpy_stream_needs_no_tensorflow_and_gives_the_same(data_root, tmp_path):
    done = _without_tensorflow(str(data_root), str(tmp_path / "w"), "numpy")
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256()
    for batch in _batches(_open(data_root, tmp_path, stream="tf")):
        for name in sorted(batch):
            digest.update(batch[name].tobytes())
    assert done.stdout.strip() == digest.hexdigest()


def test_the_tf_stream_without_tensorflow_says_what_is_missing(data_root, tmp_path):
    done = _without_tensorflow(str(data_root), str(tmp_path / "w"), "tf")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("spheroid_jax.runtime.extras.MissingPackage: ")
    assert "needs the package tensorflow" in last and "--config.data.stream=numpy" in last
