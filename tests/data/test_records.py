"""Tests of the TensorFlow records of a data root."""

import shutil

import pytest
from helpers import assert_samples_equal, change_mask, write_root

from spheroid_jax.data import arrays, folder, records

SIZE = 32
DATASETS = ["dataset1", "dataset2"]


def _load(root, cache, datasets=DATASETS, size=SIZE):
    return records.load(root, datasets, size, cache)


def _kept(cache):
    """Returns the folders of finished records in a cache."""
    return sorted(file.parents[2] for file in cache.rglob("dataset_info.json"))


@pytest.fixture
def reads(monkeypatch):
    """Counts the calls of `read_samples`, which still reads the images."""
    calls = []
    read_samples = folder.read_samples

    def counted(*arguments, **options):
        calls.append(arguments)
        return read_samples(*arguments, **options)

    monkeypatch.setattr(folder, "read_samples", counted)
    return calls


def test_records_give_the_samples_of_the_files(shared, tmp_path):
    for _ in range(2):
        assert_samples_equal(_load(shared, tmp_path), arrays.load(shared, DATASETS, SIZE))


def test_records_are_made_once(data_root, tmp_path, reads):
    _load(data_root, tmp_path / "cache")
    assert len(reads) == 1
    _load(data_root, tmp_path / "cache")
    assert len(reads) == 1


def test_making_records_prints_nothing(data_root, tmp_path, capfd):
    _load(data_root, tmp_path / "cache")
    printed, _ = capfd.readouterr()
    assert printed == ""


def _add_pair(root):
    for kind in ("images", "masks"):
        path = root / "dataset2" / kind
        shutil.copy(path / "dataset2_0.png", path / "dataset2_00.png")


def _remove_pair(root):
    for kind in ("images", "masks"):
        (root / "dataset2" / kind / "dataset2_0.png").unlink()


@pytest.mark.parametrize("change", [change_mask, _add_pair, _remove_pair])
def test_a_changed_root_is_noticed_and_its_old_records_go(data_root, tmp_path, reads, change):
    cache = tmp_path / "cache"
    before = _load(data_root, cache)
    (old,) = _kept(cache)
    change(data_root)
    after = _load(data_root, cache)
    assert len(reads) == 2
    assert after.digests != before.digests
    assert_samples_equal(after, arrays.load(data_root, DATASETS, SIZE))
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
        assert_samples_equal(one, other)
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
    assert_samples_equal(_load(data_root, cache), arrays.load(data_root, DATASETS, SIZE))


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
    assert_samples_equal(_load(data_root, cache), expected)
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
