"""Tests of the search for images, and of the places of their outputs."""

import os
import pathlib
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spheroid_jax.images import find


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The working folder, with two days of one plate."""
    monkeypatch.chdir(tmp_path)
    make("day1/A01.tif", "day1/A02.tif", "day3/A01.tif", "day1/notes.txt")
    return tmp_path


def make(*names):
    for name in names:
        pathlib.Path(name).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(name).touch()


def masks(*arguments, output="masks"):
    """A dict from each image found to its mask."""
    found = find.find(arguments, output)
    find.check(found)
    return {str(image.path): str(image.output(output, ".png")) for image in found}


def test_numbers_in_names_count_as_numbers(here):
    make(*(f"plate/{name}.tif" for name in ("A10", "A2", "A1", "B1")))
    assert [path.rpartition("/")[2] for path in masks("plate")] == [
        *("A1.tif", "A2.tif", "A10.tif", "B1.tif")
    ]


def test_two_folders_are_mirrored_and_do_not_collide(here):
    assert masks("day1", "day3") == {
        "day1/A01.tif": "masks/day1/A01.png",
        "day1/A02.tif": "masks/day1/A02.png",
        "day3/A01.tif": "masks/day3/A01.png",
    }


@pytest.mark.parametrize("argument", ["day1", "day1/", "./day1", "day3/../day1"])
def test_one_folder_is_the_output_folders_counterpart(here, argument):
    assert set(masks(argument).values()) == {"masks/A01.png", "masks/A02.png"}


def test_files_as_a_shell_expands_them(here):
    assert list(masks("day1/A01.tif", "day1/A02.tif").values()) == [
        "masks/A01.png",
        "masks/A02.png",
    ]
    assert masks("day1/A01.tif", "day3/A01.tif")["day3/A01.tif"] == "masks/day3/A01.png"


@pytest.mark.parametrize("pattern", ["day*/*.tif", "**/*.tif", "day[13]/A*", "day?", "*"])
def test_a_glob_counts_as_its_part_without_wildcards(here, pattern):
    assert masks(pattern) == masks("day1", "day3")
    absolute = masks(os.path.join(here, pattern))
    assert sorted(absolute.values()) == sorted(masks("day1", "day3").values())


def test_a_globs_base_is_kept_where_one_folder_matches(here):
    assert masks("day*/A02.tif") == {"day1/A02.tif": "masks/day1/A02.png"}


def test_a_name_with_the_letters_of_a_glob_is_a_file_if_there_is_one(here):
    make("day1/A[1].tif")
    assert masks("day1/A[1].tif") == {"day1/A[1].tif": "masks/A[1].png"}


def test_folders_are_searched_to_the_bottom(here):
    make("day1/z/deep/B01.TIFF", "day1/B02.jpeg")
    assert list(masks("day1").values()) == [
        "masks/A01.png",
        "masks/A02.png",
        "masks/B02.png",
        "masks/z/deep/B01.png",
    ]


def test_a_named_file_is_taken_whatever_its_suffix_and_even_if_missing(here):
    assert masks("day1/notes.txt", "day1/.gone") == {
        "day1/notes.txt": "masks/notes.png",
        "day1/.gone": "masks/.gone.png",
    }


def test_hidden_files_and_folders_are_passed_over(here):
    make("day1/._A01.tif", "day1/.A03.tif", "day1/.thumbs/A01.tif")
    for argument in (".", "**/*.tif", "**/*", "day*/*"):
        assert set(masks(argument)) == {"day1/A01.tif", "day1/A02.tif", "day3/A01.tif"}
    # A hidden folder that is named is searched.
    assert masks("day1/.thumbs") == {"day1/.thumbs/A01.tif": "masks/A01.png"}


def test_the_output_folder_is_not_searched(here):
    make("masks/day1/A01.png", "day1/masks/A09.png")
    assert "masks/day1/A01.png" not in masks(".")
    assert "masks/day1/A01.png" not in masks("**/*")
    assert "day1/masks/A09.png" not in masks("day1", output="day1/masks")
    with pytest.raises(find.FindError, match="masks: results are written into this folder"):
        masks("masks")


def test_a_loop_of_links_ends_and_each_image_is_found_once(here):
    (here / "day1" / "again").symlink_to(here, target_is_directory=True)
    (here / "day1" / "self").symlink_to("self")
    found = masks("day1")
    assert list(found) == ["day1/A01.tif", "day1/A02.tif", "day1/again/day3/A01.tif"]
    assert set(masks("**/*.tif")) == {"day1/A01.tif", "day1/A02.tif", "day3/A01.tif"}


def test_a_real_folder_goes_before_links_to_it(here):
    (here / "a").symlink_to("day3")
    assert "day3/A01.tif" in masks(".") and "a/A01.tif" not in masks(".")


def test_an_image_named_twice_is_found_once(here):
    assert masks("day1/A02.tif", "day1", str(here / "day1"), "day1/A0*.tif") == {
        "day1/A02.tif": "masks/A02.png",
        "day1/A01.tif": "masks/A01.png",
    }


def test_two_images_of_one_stem_are_refused_before_anything_is_done(here):
    make("day1/A01.png")
    with pytest.raises(
        find.FindError,
        match="2 of the images would be written to one file: day1/A01.png, day1/A01.tif; rename",
    ):
        masks("day1")
    assert masks("day1/A01.png") == {"day1/A01.png": "masks/A01.png"}


def test_only_the_last_suffix_is_dropped(here):
    make("day5/A.ome.tif", "day5/A.tif")
    assert list(masks("day5").values()) == ["masks/A.ome.png", "masks/A.png"]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("empty", "empty: no images in this folder"),
        ("day1/*.lsm", r"day1/\*.lsm: no images match"),
        ("day1/*.txt", r"day1/\*.txt: no images match"),
        ("gone/*.tif", r"gone/\*.tif: no images match"),
    ],
)
def test_arguments_without_images_are_refused(here, argument, said):
    pathlib.Path("empty").mkdir()
    with pytest.raises(find.FindError, match=said):
        masks("day1", argument)


def test_a_folder_that_may_not_be_read_is_an_error(here):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (here / "day1").chmod(0)
    with pytest.raises(PermissionError):
        masks("day1")


names = st.text(string.ascii_letters + string.digits + " .[]*?-é", min_size=1, max_size=6).filter(
    lambda name: not name.startswith(".") and name.strip(" .")
)


@settings(max_examples=40)
@given(st.sets(st.tuples(st.sampled_from("abc"), names), min_size=1, max_size=8))
def test_no_two_images_have_one_place(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("plates")
    make(*(folder / day / f"{name}.tif" for day, name in files))
    found = find.find([folder], folder / "masks")
    assert len(found) == len(files) == len({image.place for image in found})
    for image in found:
        mask = image.output(folder / "masks", ".png")
        assert mask.parent.name == image.path.parent.name and mask.stem == image.path.stem
