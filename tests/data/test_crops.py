"""Tests of crops at random zoom: where they are cut, what is written, and when it is kept."""

import csv

import numpy as np
import pytest
from helpers import disk, write_root
from PIL import Image

from spheroid_jax import images
from spheroid_jax.data import crops, folder, source

RECIPE = crops.Recipe(count=10, size=32)


@pytest.fixture
def dataset(tmp_path):
    write_root(tmp_path, {"cells": 4}, size=96)
    (tmp_path / "cells" / "groups.csv").write_text("stem,group\ncells_0,a\ncells_1,a\n")
    return tmp_path / "cells"


def test_crops_lie_in_the_image_and_show_bodies_of_all_sizes():
    labels = disk(400, (200, 120), 20).astype(int)
    rng = np.random.default_rng(0)
    shares, whole, entire = [], 0, 0
    for _ in range(400):
        rows, columns = crops.cut(labels, rng, least_px=16)
        part = labels[rows, columns]
        if part.shape == labels.shape:
            entire += 1
            continue
        assert part.shape[0] == part.shape[1] >= 16
        if part.sum() == labels.sum():
            whole += 1
            shares.append(40 / len(part))
    # The image itself bounds the smallest share, 40 of 400 px.
    assert min(shares) < 0.12 and max(shares) > 0.6
    assert 30 < entire < 120 and 100 < whole < 370


def test_an_image_without_a_body_is_cut_too():
    place = crops.cut(np.zeros((50, 80), int), np.random.default_rng(1), least_px=16)
    assert all(0 <= at.start < at.stop for at in place)
    assert place[0].stop <= 50 and place[1].stop <= 80


def test_a_dataset_keeps_its_images_and_groups_and_gains_crops(dataset, tmp_path):
    target = crops.cropped(dataset, RECIPE, tmp_path / "cache")
    pairs, problems = folder.find_pairs(target.parent, [target.name])
    assert not problems and len(pairs) == 4 + 10
    groups = {pair.stem: pair.group for pair in pairs}
    assert groups["cells_0"] == groups["cells_1__crop_000"] == "a"
    assert groups["cells_2"] == groups["cells_2__crop_001"] == "cells_2"
    for pair in pairs:
        gray, labels = images.read_gray(pair.image), folder.read_bodies(pair.mask)
        assert gray.shape == labels.shape
        if "__crop_" in pair.stem:
            assert max(gray.shape) == 32


def test_crops_are_made_once_and_anew_when_an_image_changes(dataset, tmp_path):
    first = crops.cropped(dataset, RECIPE, tmp_path / "cache")
    again = crops.cropped(dataset, RECIPE, tmp_path / "cache")
    assert first == again and [p.name for p in first.parent.iterdir()] == [first.name]
    Image.fromarray(np.full((96, 96), 9, np.uint8)).save(dataset / "masks" / "cells_3.png")
    assert crops.cropped(dataset, RECIPE, tmp_path / "cache") != first


def test_the_same_seed_gives_the_same_crops(dataset, tmp_path):
    def contents(cache, recipe=RECIPE):
        made = crops.cropped(dataset, recipe, tmp_path / cache)
        return [path.read_bytes() for path in sorted((made / "images").iterdir())]

    assert contents("one") == contents("two")
    assert contents("one") != contents("one", RECIPE._replace(seed=1))


def test_a_problem_of_the_dataset_is_told_and_nothing_is_left(dataset, tmp_path):
    (dataset / "masks" / "cells_0.png").unlink()
    with pytest.raises(folder.DataRootError, match="cells_0.png: no mask"):
        crops.cropped(dataset, RECIPE, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_many_bodies_keep_numbers_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(crops, "cut", lambda labels, rng, least_px: (slice(None), slice(None)))
    for kind in ("images", "masks"):
        (tmp_path / "many" / kind).mkdir(parents=True)
    labels = np.arange(400, dtype=np.uint16).reshape(20, 20).repeat(4, 0).repeat(4, 1)
    Image.fromarray((labels % 251).astype(np.uint8)).save(tmp_path / "many" / "images" / "a.png")
    Image.fromarray(labels).save(tmp_path / "many" / "masks" / "a.png")
    made = crops.cropped(tmp_path / "many", crops.Recipe(1, 80), tmp_path / "cache")
    crop = images.read_labels(made / "masks" / "a__crop_000.png")
    assert len(np.unique(crop)) == crop.max() + 1 == 400


def test_a_data_root_gains_crops_beside_its_images(tmp_path):
    write_root(tmp_path / "own", {"cells": 3}, size=64)
    root = source.open_root(tmp_path / "own", tmp_path / "cache", {}, crop=RECIPE)
    assert folder.datasets_in(root) == ["cells"]
    assert len(list((root / "cells" / "images").iterdir())) == 3 + 10
    with open(root / "cells" / "groups.csv", newline="") as file:
        assert {row["group"] for row in csv.DictReader(file)} == {"cells_0", "cells_1", "cells_2"}


def test_a_crop_is_never_of_one_gray_level(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / "pale" / kind).mkdir(parents=True)
    mask = disk(300, (40, 40), 8)
    Image.fromarray(np.where(mask, 0, 255).astype(np.uint8)).save(
        tmp_path / "pale" / "images" / "a.png"
    )
    Image.fromarray(mask).save(tmp_path / "pale" / "masks" / "a.png")
    made = crops.cropped(tmp_path / "pale", crops.Recipe(40, 32), tmp_path / "cache")
    assert all(np.ptp(images.read_gray(path)) > 0 for path in (made / "images").iterdir())
