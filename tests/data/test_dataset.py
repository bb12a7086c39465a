"""Tests of datasets opened for a work directory: partitions, and the streams of a fold."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT, assert_streams_equal, change_mask

from spheroid_jax import images
from spheroid_jax.data import dataset, folder, partitions
from spheroid_jax.workdir import FOLDS, Workdir

SIZE = 32
DATASETS = ["dataset1", "dataset2"]
SHARES = {"dataset1": 70.0, "dataset2": 30.0}
STREAMS = ("numpy", "tf")
every_stream = pytest.mark.parametrize("stream", STREAMS)


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
    def pixels(grid):  # equal for all flips and rotations of a grid
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
    assert_streams_equal(whole, _batches(by_name["tf"]))
    for opened in by_name.values():
        assert_streams_equal(whole[4:], _batches(opened, start=4))


def test_folds_stream_different_samples(data_root, tmp_path):
    opened = _open(data_root, tmp_path)
    first = {_batches(opened, fold=fold, stop=2)[1]["image"].tobytes() for fold in range(FOLDS)}
    assert len(first) == FOLDS


@pytest.mark.parametrize("names", [DATASETS, DATASETS[::-1]])
def test_a_reopened_work_directory_goes_on_with_the_same_stream(data_root, tmp_path, names):
    shares = {name: SHARES[name] for name in names}
    whole = _batches(_open(data_root, tmp_path, shares=shares))
    again = _open(data_root, tmp_path, shares=shares)
    assert_streams_equal(whole[2:], _batches(again, start=2))


@every_stream
def test_another_root_in_a_work_directory_is_refused(data_root, tmp_path, stream):
    _open(data_root, tmp_path, stream=stream)
    change_mask(data_root)
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
