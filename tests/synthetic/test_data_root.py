"""Tests of data roots of drawn images: pairs, and what is kept, refused or made anew."""

import functools

import numpy as np
import pytest
from skimage import io

from spheroid_jax.synthetic import data_root, scenes, spheroids


def _files(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_data_root_holds_pairs_under_the_same_name(tmp_path):
    root = data_root.write_data_root(tmp_path / "new" / "root", n_easy=2, n_hard=1, size=64, seed=3)
    assert root == tmp_path / "new" / "root"
    assert set(_files(root)) == {
        "dataset1/images/easy_0000.png",
        "dataset1/images/easy_0001.png",
        "dataset1/masks/easy_0000.png",
        "dataset1/masks/easy_0001.png",
        "dataset2/images/hard_0000.png",
        "dataset2/masks/hard_0000.png",
        data_root.RECIPE_FILE,
    }
    image, mask = spheroids.make_image("hard", 0, seed=3, size=64)
    images, masks = root / "dataset2" / "images", root / "dataset2" / "masks"
    np.testing.assert_array_equal(io.imread(images / "hard_0000.png"), image)
    np.testing.assert_array_equal(io.imread(masks / "hard_0000.png"), mask * np.uint8(255))
    assert [path.name for path in root.parent.iterdir()] == ["root"]


def test_complete_data_root_is_left_untouched(tmp_path, monkeypatch):
    write = functools.partial(
        data_root.write_data_root, tmp_path / "root", n_easy=1, n_hard=1, size=64
    )
    before = _files(write())

    def draw_nothing(*args, **kwargs):
        raise AssertionError("a second start draws nothing")

    monkeypatch.setattr(spheroids, "make_image", draw_nothing)
    assert _files(write()) == before


def test_killed_write_leaves_no_root_and_the_next_one_succeeds(tmp_path, monkeypatch):
    root = tmp_path / "root"
    write = functools.partial(data_root.write_data_root, root, n_easy=2, n_hard=1, size=64)
    make_image = spheroids.make_image

    def interrupted(flavour, index, **options):
        if index == 1:
            raise KeyboardInterrupt
        return make_image(flavour, index, **options)

    with monkeypatch.context() as patch:
        patch.setattr(spheroids, "make_image", interrupted)
        patch.setattr(data_root.shutil, "rmtree", lambda path: None)
        with pytest.raises(KeyboardInterrupt):
            write()
    assert not root.exists()
    leftover = list(tmp_path.iterdir())
    assert len(leftover) == 1 and _files(leftover[0])

    assert len(_files(write())) == 7
    assert set(tmp_path.iterdir()) == {root, *leftover}


def test_faster_process_wins_and_the_slower_one_agrees(tmp_path, monkeypatch):
    root = tmp_path / "root"
    write = functools.partial(data_root.write_data_root, root, n_easy=1, n_hard=0, size=64)
    replace, seen = data_root.os.replace, []

    def overtaken(source, target):
        monkeypatch.setattr(data_root.os, "replace", replace)
        seen.append((target.exists(), sorted(_files(source))))
        write()
        replace(source, target)

    monkeypatch.setattr(data_root.os, "replace", overtaken)
    assert write() == root
    assert seen == [(False, sorted(_files(root)))]  # complete before it gets its name
    assert not (root / "dataset2").exists()
    assert list(tmp_path.iterdir()) == [root]


def test_folder_with_other_content_is_refused_and_kept(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="other files"):
        data_root.write_data_root(tmp_path, n_easy=1, n_hard=1, size=64)
    assert _files(tmp_path) == {"notes.txt": b"mine"}


def test_root_of_another_recipe_is_not_passed_off_as_this_one(tmp_path):
    root = tmp_path / "root"
    root.mkdir()  # an empty folder may exist
    data_root.write_data_root(root, n_easy=1, n_hard=0, size=64)
    before = _files(root)
    with pytest.raises(FileExistsError, match="'seed': 0.*'seed': 1"):
        data_root.write_data_root(root, n_easy=1, n_hard=0, size=64, seed=1)
    assert _files(root) == before


def test_the_masks_of_scenes_are_label_images_and_cores_lie_beside_them(tmp_path):
    root = data_root.write_data_root(tmp_path / "root", n_easy=0, n_hard=0, n_scenes=40, size=64)
    draw = scenes.draw_scene, scenes.draw_closeup
    drawn = [draw[index % 5 in (1, 3)](index, 64) for index in range(40)]
    for index, scene in enumerate(drawn):
        path = root / "scenes" / "masks" / f"scenes_{index:04d}.png"
        np.testing.assert_array_equal(io.imread(path), scene.labels)
    assert max(scene.labels.max() for scene in drawn) > 1
    cores = {path.stem: io.imread(path) > 0 for path in (root / "scenes" / "cores").iterdir()}
    known = {
        f"scenes_{index:04d}": scene.core
        for index, scene in enumerate(drawn)
        if scene.core is not None and scene.core.any()
    }
    assert cores.keys() == known.keys() and len(cores) > 1
    for stem, core in cores.items():
        np.testing.assert_array_equal(core, known[stem])
