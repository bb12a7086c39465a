"""Tests of data roots on disk: pairing of files, and every problem of a root."""

import os
import pathlib
import shutil
import tempfile

import numpy as np
import pytest
from helpers import write_root
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spheroid_jax import images
from spheroid_jax.data import folder

SIZE = 32


def _read(root, datasets):
    """Returns all samples of a root, and the error raised after them, or None."""
    pairs, problems = folder.find_pairs(root, datasets)
    samples, error = [], None
    try:
        for pair, sample in folder.read_samples(root, pairs, SIZE, problems):
            samples.append((pair, sample))
    except folder.DataRootError as raised:
        error = raised
    return samples, error


def _touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _fingerprint(root, datasets=("dataset1", "dataset2"), size=SIZE):
    return folder.fingerprint(folder.find_pairs(root, datasets)[0], size)


# Pairing.


def test_images_and_masks_pair_by_stem_whatever_their_formats(tmp_path):
    _touch(
        tmp_path,
        *("d/images/b.TIF", "d/images/a.jpeg", "d/images/well.A1.bmp"),
        *("d/masks/a.png", "d/masks/b.gif", "d/masks/well.A1.tiff"),
    )
    pairs, problems = folder.find_pairs(tmp_path, ["d"])
    assert not problems
    assert [(p.dataset, p.stem, p.image.name, p.mask.name) for p in pairs] == [
        ("d", "a", "a.jpeg", "a.png"),
        ("d", "b", "b.TIF", "b.gif"),
        ("d", "well.A1", "well.A1.bmp", "well.A1.tiff"),
    ]
    assert pairs[0].image == tmp_path / "d/images/a.jpeg"
    assert pairs[0].mask == tmp_path / "d/masks/a.png"


_files = st.dictionaries(
    st.text("abXY0._- ", min_size=1, max_size=4)
    .filter(lambda stem: not stem.startswith("."))
    .map(lambda stem: stem + "e"),
    st.sampled_from(images.SUFFIXES),
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(found=_files, masks=_files)
def test_pairs_are_the_stems_in_both_folders_and_the_rest_is_named(found, masks):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        (root / "d/images").mkdir(parents=True)
        (root / "d/masks").mkdir()
        _touch(root, *(f"d/images/{s}{ending}" for s, ending in found.items()))
        _touch(root, *(f"d/masks/{s}{ending}" for s, ending in masks.items()))
        pairs, problems = folder.find_pairs(root, ["d"])
    assert [pair.stem for pair in pairs] == sorted(found.keys() & masks.keys())
    alone = found.keys() ^ masks.keys()
    assert len(problems) == (len(alone) if found or masks else 1)
    for stem in alone:
        kind = "images" if stem in found else "masks"
        name = stem + (found | masks)[stem]
        path = root / "d" / kind / name
        assert any(line.startswith(f"{path}: ") for line in problems)


def test_hidden_files_other_kinds_and_folders_are_passed_over(data_root):
    _touch(
        data_root / "dataset1",
        *("images/.DS_Store", "images/._dataset1_0.png", "images/Thumbs.db"),
        *("masks/notes.txt", "masks/.hidden.png", "measurements.csv"),
    )
    (data_root / "dataset1/images/overlays.png").mkdir()
    samples, error = _read(data_root, ["dataset1"])
    assert error is None
    assert [pair.stem for pair, _ in samples] == [f"dataset1_{n}" for n in range(8)]


def test_a_sample_is_the_pair_on_the_grid(data_root):
    samples, _ = _read(data_root, ["dataset1", "dataset2"])
    assert len(samples) == 15
    for pair, sample in samples:
        grid, _ = images.preprocess(images.read_image(pair.image), SIZE)
        mask = images.read_mask(pair.mask)
        np.testing.assert_array_equal(sample.image, grid)
        np.testing.assert_array_equal(sample.label, images.mask_to_grid(mask, SIZE))
    assert len({sample.digest for _, sample in samples}) == 15


def test_samples_come_in_the_order_of_pairs_beyond_one_batch_of_reading(data_root, monkeypatch):
    monkeypatch.setattr(folder, "_BATCH", 4)
    pairs, _ = folder.find_pairs(data_root, ["dataset2", "dataset1"])
    samples, error = _read(data_root, ["dataset2", "dataset1"])
    assert error is None
    assert [pair for pair, _ in samples] == pairs
    assert [pair.dataset for pair in pairs] == ["dataset2"] * 7 + ["dataset1"] * 8


def test_the_digest_follows_either_file(data_root):
    before = [sample.digest for _, sample in _read(data_root, ["dataset1"])[0]]
    for n, kind in enumerate(("images", "masks")):
        path = data_root / f"dataset1/{kind}/dataset1_{n}.png"
        pixels = np.asarray(Image.open(path))
        Image.fromarray(pixels[::-1]).save(path)
    after = [sample.digest for _, sample in _read(data_root, ["dataset1"])[0]]
    assert [a == b for a, b in zip(before, after, strict=True)] == [*(False, False), *[True] * 6]


# groups.csv.


def _groups(tmp_path, content):
    for stem in "abc":
        _touch(tmp_path, f"d/images/{stem}.png", f"d/masks/{stem}.png")
    if content is not None:
        (tmp_path / "d/groups.csv").write_bytes(content)
    pairs, problems = folder.find_pairs(tmp_path, ["d"])
    return {pair.stem: pair.group for pair in pairs}, problems


@pytest.mark.parametrize(
    "content",
    [
        b"stem,group\na,well 1\nb,well 1\n",
        b"\xef\xbb\xbfstem,group\r\na,well 1\r\nb,well 1\r\n",
        b"day,group,stem\n3, well 1 ,a\n4,well 1, b\n",
        b'group,stem\n"well 1","a"\n"well 1","b"\n\n',
    ],
    ids=["plain", "byte-order mark", "other columns, blanks", "quoted"],
)
def test_groups_are_read_and_an_image_not_named_is_its_own(tmp_path, content):
    groups, problems = _groups(tmp_path, content)
    assert not problems
    assert groups == {"a": "well 1", "b": "well 1", "c": "c"}


@pytest.mark.parametrize("content", [None, b"", b"stem,group\n"])
def test_without_groups_each_image_is_its_own(tmp_path, content):
    assert _groups(tmp_path, content) == ({"a": "a", "b": "b", "c": "c"}, [])


@pytest.mark.parametrize(
    "content",
    [
        b"stem,well\na,1\n",
        b"image,group\na,1\n",
        b"stem;group\na;1\n",
        b"a,1\nb,1\n",
        b"stem,group\na\n",
        "stem,group\na,Gefäß\n".encode("cp1252"),
        "stem,group\na,1\n".encode("utf-16"),
    ],
    ids=[
        *("no group", "no stem", "semicolons", "no heading", "short line"),
        *("not UTF-8", "UTF-16"),
    ],
)
def test_a_table_of_another_form_is_named_with_what_was_expected(tmp_path, content):
    _, problems = _groups(tmp_path, content)
    assert problems == [
        f"{tmp_path / 'd/groups.csv'}: expected a table with the columns stem,group"
    ]


def test_groups_may_name_images_that_are_gone(tmp_path):
    groups, problems = _groups(tmp_path, b"stem,group\na,1\nold,1\n")
    assert (groups["a"], problems) == ("1", [])


def test_groups_of_files_instead_of_stems_are_not_passed_over(tmp_path):
    _, problems = _groups(tmp_path, b"stem,group\na.png,1\nb.png,1\nc,1\n")
    assert problems == [f"{tmp_path / 'd/groups.csv'}: stems have no suffix: a.png, b.png"]


# Problems of a root.


def _save(path, pixels):
    Image.fromarray(pixels).save(path)


def _faulty_root(root):
    """Writes 13 faults and nine good pairs; returns a dict from path to expected message."""
    write_root(root, {"dataset1": 8, "dataset2": 0})
    found, masks = root / "dataset1/images", root / "dataset1/masks"
    good = np.asarray(Image.open(found / "dataset1_0.png"))
    mask = np.asarray(Image.open(masks / "dataset1_0.png"))
    for stem in ("big", "constant", "cut", "grays", "nan", "text", "twin"):
        _save(found / f"{stem}.png", good)
        _save(masks / f"{stem}.png", mask)
    _save(found / "maskless.png", good)
    _save(masks / "imageless.png", mask)
    _save(masks / "big.png", np.kron(mask, np.ones((2, 1), np.uint8)))
    _save(found / "constant.png", np.full_like(good, 7))
    whole = (found / "cut.png").read_bytes()
    (found / "cut.png").write_bytes(whole[: len(whole) // 2])
    _save(masks / "grays.png", good)
    (found / "nan.png").unlink()
    _save(found / "nan.tif", np.where(mask, np.nan, good).astype(np.float32))
    (found / "text.png").write_text("no picture")
    _save(found / "twin.tif", good)
    _save(found / "small.png", good[:20])
    _save(masks / "small.png", mask[:20])
    # Both files of a pair: one run names both.
    (found / "worst.png").write_bytes(whole[: len(whole) // 2])
    _save(masks / "worst.png", good)
    return {
        found / "maskless.png": "no mask",
        masks / "imageless.png": "no image",
        masks / "big.png": "48 x 96 px, and its image has 48 x 48",
        found / "constant.png": "all pixels have the same value (7)",
        found / "cut.png": "cannot be read",
        masks / "grays.png": "not a mask of two values",
        found / "nan.tif": "NaN",
        found / "text.png": "not an image, or damaged",
        found / "twin.tif": "same stem as twin.png",
        found / "small.png": "48 x 20 px; each side must have at least 32",
        found / "worst.png": "cannot be read",
        masks / "worst.png": "not a mask of two values",
        root / "dataset2/images": "no images",
    }


def test_all_faults_are_named_at_once_and_good_images_still_read(tmp_path):
    expected = _faulty_root(tmp_path / "root")
    samples, error = _read(tmp_path / "root", ["dataset1", "dataset2"])
    by_path = dict(line.split(": ", 1) for line in error.problems)
    assert by_path.keys() == {str(path) for path in expected}
    assert len(error.problems) == len(expected) == 13
    for path, words in expected.items():
        assert words in by_path[str(path)]
    assert str(error).splitlines() == [
        f"{tmp_path / 'root'}: 13 problems in the data root:",
        *(f"  {line}" for line in error.problems),
    ]
    stems = [pair.stem for pair, _ in samples]
    assert stems == [*(f"dataset1_{n}" for n in range(8)), "twin"]


@pytest.mark.parametrize("suffix", sorted(set(images.SUFFIXES) - {".nd2", ".czi", ".lif", ".zarr"}))
@pytest.mark.parametrize("part", [0.0, 0.5, 0.9])
def test_a_truncated_file_of_any_format_is_named(data_root, suffix, part):
    old = data_root / "dataset1/images/dataset1_3.png"
    path = old.with_suffix(suffix)
    image = Image.open(old)
    image.load()
    old.unlink()
    image.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    samples, error = _read(data_root, ["dataset1"])
    assert len(samples) == 7
    (problem,) = error.problems
    assert problem.startswith(f"{path}: ")


def test_a_file_that_vanishes_while_reading_is_named(data_root):
    pairs, _ = folder.find_pairs(data_root, ["dataset1"])
    pairs[2].mask.unlink()
    pairs[5].image.unlink()
    with pytest.raises(folder.DataRootError, match="2 problems") as raised:
        list(folder.read_samples(data_root, pairs, SIZE))
    for line, path in zip(raised.value.problems, (pairs[2].mask, pairs[5].image), strict=True):
        assert str(path) in line


def test_missing_folders_are_named(tmp_path):
    (tmp_path / "d/images").mkdir(parents=True)
    pairs, problems = folder.find_pairs(tmp_path, ["d", "e"])
    assert not pairs
    for name in ("d/masks", "e/images", "e/masks"):
        assert f"{tmp_path / name}: no such folder" in problems


def test_more_than_twenty_problems_are_counted(tmp_path):
    write_root(tmp_path / "root", {"d": 0})
    _touch(tmp_path / "root/d/images", *(f"{n:02}.png" for n in range(25)))
    _, error = _read(tmp_path / "root", ["d"])
    lines = str(error).splitlines()
    assert len(error.problems) == 25
    assert len(lines) == 22
    assert lines[0].endswith("25 problems in the data root:")
    assert "19.png" in lines[20]
    assert lines[21].strip() == "and 5 more"


def test_one_problem_is_not_plural_and_twenty_are_all_shown():
    assert ": 1 problem in" in str(folder.DataRootError("root", ["bad"]))
    assert "more" not in str(folder.DataRootError("root", ["bad"] * 20))
    assert isinstance(folder.DataRootError("root", ["bad"]), ValueError)


# The fingerprint.


def _add(root):
    for kind in ("images", "masks"):
        path = root / "dataset2" / kind
        shutil.copy(path / "dataset2_0.png", path / "dataset2_x.png")


def _remove(root):
    for kind in ("images", "masks"):
        (root / "dataset2" / kind / "dataset2_3.png").unlink()


def _rename(root):
    path = root / "dataset1/images/dataset1_1.png"
    path.rename(path.with_suffix(".PNG"))


def _grow(root):
    path = root / "dataset1/masks/dataset1_1.png"
    stat = path.stat()
    path.write_bytes(path.read_bytes() + b" ")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _touch_mask(root):
    path = root / "dataset1/masks/dataset1_1.png"
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1000))


def _touch_image(root):
    path = root / "dataset2/images/dataset2_6.png"
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - 10**9))


@pytest.mark.parametrize("change", [_add, _remove, _rename, _grow, _touch_mask, _touch_image])
def test_the_fingerprint_changes_with_the_files(data_root, change):
    before = _fingerprint(data_root)
    assert _fingerprint(data_root) == before
    change(data_root)
    assert _fingerprint(data_root) != before


def test_the_fingerprint_changes_with_size_and_datasets(data_root):
    prints = {
        _fingerprint(data_root),
        _fingerprint(data_root, size=SIZE + 1),
        _fingerprint(data_root, datasets=["dataset1"]),
        _fingerprint(data_root, datasets=["dataset2"]),
    }
    assert len(prints) == 4


def test_the_fingerprint_stays_where_the_root_is_moved(data_root, tmp_path):
    before = _fingerprint(data_root)
    data_root.rename(tmp_path / "elsewhere")
    assert _fingerprint(tmp_path / "elsewhere") == before


# Which datasets.


def test_datasets_are_the_folders_with_images_and_masks(data_root):
    (data_root / "b/images").mkdir(parents=True)
    (data_root / "c/masks").mkdir(parents=True)
    (data_root / "README.txt").touch()
    write_root(data_root, {"a": 0})
    assert folder.datasets_in(data_root) == ["a", "dataset1", "dataset2"]
