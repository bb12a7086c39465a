"""Tests of the source of images: a data root on disk, drawn images, and the choice of datasets."""

import pytest
from helpers import write_root

from spheroid_jax.data import arrays, folder, source
from spheroid_jax.synthetic import data_root, spheroids

SIZE = 32
RECIPE = {"n_easy": 2, "n_hard": 1, "size": 64, "seed": 0}


# Choice of datasets.


@pytest.mark.parametrize("look", [folder.datasets_in, source.choose_datasets])
def test_a_missing_root_is_named(tmp_path, look):
    arguments = [] if look is folder.datasets_in else [{"dataset1": 1}]
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        look(tmp_path / "nowhere", *arguments)


def test_datasets_that_are_there_are_kept_in_their_order(data_root, caplog):
    shares = {"dataset2": 30.0, "dataset1": 70.0}
    chosen = source.choose_datasets(data_root, shares)
    assert list(chosen.items()) == list(shares.items())
    assert not caplog.records


def test_a_dataset_that_is_not_there_is_said(data_root, caplog):
    shares = {"dataset1": 70.0, "hard": 20.0, "dataset3": 10.0}
    assert source.choose_datasets(data_root, shares) == {"dataset1": 70.0}
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        f"{data_root} has no dataset dataset3, hard: only dataset1 will be used."
    )


def test_no_dataset_is_an_error_that_names_what_is_there(data_root):
    with pytest.raises(ValueError, match="there are dataset1, dataset2") as e:
        source.choose_datasets(data_root, {"easy": 70.0, "hard": 30.0})
    assert "none of easy, hard" in str(e.value)
    assert str(data_root) in str(e.value)


def test_no_dataset_in_an_empty_root_names_what_was_looked_for(tmp_path):
    with pytest.raises(ValueError, match="none of dataset1") as e:
        source.choose_datasets(tmp_path, {"dataset1": 1.0})
    assert "there are" not in str(e.value)


def test_a_star_is_every_dataset_that_is_not_named(data_root):
    write_root(data_root, {"mine": 1})
    chosen = source.choose_datasets(data_root, {"*": 50.0, "mine": 30.0})
    assert list(chosen.items()) == [("dataset1", 25.0), ("dataset2", 25.0), ("mine", 30.0)]


def test_a_star_that_stands_for_nothing_is_an_error(data_root):
    shares = {"*": 50.0, "dataset1": 25.0, "dataset2": 25.0}
    with pytest.raises(ValueError, match=r"for \* beside dataset1, dataset2;"):
        source.choose_datasets(data_root, shares)


# Source of the images.


def test_a_named_root_is_itself_and_nothing_is_drawn(tmp_path):
    root = source.open_root(str(tmp_path / "mine"), tmp_path / "cache", RECIPE)
    assert root == tmp_path / "mine"
    assert not list(tmp_path.iterdir())


def test_the_synthetic_root_is_drawn_once(tmp_path, monkeypatch):
    root = source.open_root("synthetic", tmp_path, RECIPE)
    pairs = arrays.load(root, folder.datasets_in(root), SIZE).pairs
    assert [pair.dataset for pair in pairs] == ["dataset1", "dataset1", "dataset2"]
    monkeypatch.delattr(spheroids, "make_image")
    assert source.open_root("synthetic", tmp_path, RECIPE) == root


def test_another_recipe_is_another_folder_of_the_cache(tmp_path):
    roots = {
        source.open_root("synthetic", tmp_path, {**RECIPE, "n_easy": 0}),
        source.open_root("synthetic", tmp_path, {**RECIPE, "n_easy": 0, "seed": 1}),
    }
    assert len(roots) == 2
    assert all(tmp_path in root.parents for root in roots)


def test_drawn_images_come_beside_a_root_under_names_of_their_own(tmp_path):
    recipe = {**RECIPE, "n_varied": 1}
    own = data_root.write_data_root(tmp_path / "own", n_easy=1, n_hard=0)
    (own / "dataset1" / "masks" / "easy_0000.png").write_bytes(b"damaged")
    root = source.open_root(str(own), tmp_path, recipe, beside=True)
    assert folder.datasets_in(root) == ["dataset1", "easy", "hard", "varied"]
    assert source.open_root(str(own), tmp_path, recipe, beside=True) == root
    with pytest.raises(folder.DataRootError) as raised:
        arrays.load(root, ["dataset1", "varied"], SIZE)
    # The message names the file in the user's own folder, not in the folder of links.
    assert [str(own / "dataset1") in line for line in raised.value.problems] == [True]
    drawn = source.open_root("synthetic", tmp_path, recipe, beside=True)
    assert folder.datasets_in(drawn) == ["easy", "hard", "varied"]


def test_a_root_that_nothing_can_stand_beside_is_said_before_drawing(tmp_path):
    cache, own = tmp_path / "cache", tmp_path / "own"
    with pytest.raises(FileNotFoundError, match="own: no such folder"):
        source.open_root(str(own), cache, RECIPE, beside=True)
    (own / "images").mkdir(parents=True)
    (own / "masks").mkdir()
    with pytest.raises(ValueError, match="own: no folder in it .*own/NAME/im"):
        source.open_root(str(own), cache, RECIPE, beside=True)
    write_root(own, {"hard": 1, "mine": 1})
    with pytest.raises(ValueError, match="called hard, and you have"):
        source.open_root(str(own), cache, RECIPE, beside=True)
    assert not cache.exists()
