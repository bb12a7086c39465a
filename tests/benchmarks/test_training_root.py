"""The training root has every image that may train, and nothing of a laboratory left out."""

import numpy as np
import pytest

from benchmarks import sets, training_root
from spheroid_jax import images
from spheroid_jax.data import folder, partitions


def test_every_image_that_may_train_is_there_and_no_other(collection, tmp_path):
    counts = training_root.assemble(collection, tmp_path / "root")
    assert counts == {
        "dataset1": 2,
        "imaginal-disc": 2,
        "ipsc-crops": 2,
        "tumour-tiles": 2,
        "ipsc-frames": 2,
        "few": 4 + 3 + 3,
    }
    found, problems = folder.find_pairs(tmp_path / "root", counts)
    assert not problems
    assert [sum(pair.dataset == name for pair in found) for name in counts] == [*counts.values()]


def test_frames_of_many_bodies_train_with_their_labels_and_empty_ones_with_empty_masks(
    collection, tmp_path
):
    training_root.assemble(collection, tmp_path / "root")
    found, _ = folder.find_pairs(tmp_path / "root", ["ipsc-frames", "few"])
    for pair in found:
        values = set(np.unique(images.read_labels(pair.mask)))
        if pair.stem.startswith("no-body"):
            assert values == {0}
            assert images.read_labels(pair.mask).shape == (40, 48)
        elif not pair.stem.startswith("mcf7"):
            assert values == {0, 7}, pair


@pytest.mark.parametrize("lab", sets.LABS)
def test_nothing_of_a_laboratory_that_is_left_out_is_there(collection, tmp_path, lab, capsys):
    training_root.assemble(collection, tmp_path / "root", without=lab)
    own = {each.place for each in sets.SETS if each.lab == lab}
    found, _ = folder.find_pairs(tmp_path / "root", folder.datasets_in(tmp_path / "root"))
    places = {pair.image.resolve().relative_to(collection.resolve()) for pair in found}
    assert not [path for path in places if path.parent.parent.as_posix() in own]
    # The images without a body are of two laboratories.
    strays = {"dataset1": "a673", "tumour-tiles": "a_s"}
    assert not any(path.name.startswith(strays.get(lab, "-")) for path in places)
    # Six partitions need six groups, whoever is left out.
    few = [pair for pair in found if pair.dataset == "few"]
    partitions.partition({pair.stem: pair.group for pair in few})
    told = "each image is its own group" in capsys.readouterr().err
    assert told == (lab == "neurospheres")


def test_the_images_of_one_specimen_stay_one_group(collection, tmp_path):
    training_root.assemble(collection, tmp_path / "root")
    found, _ = folder.find_pairs(tmp_path / "root", ["few"])
    assert {pair.group for pair in found if pair.stem.startswith("mcf7")} == {"mcf7-collagen"}
    assert len({pair.group for pair in found}) == 4 + 1 + 3


def test_what_cannot_be_assembled_is_refused_in_one_line(collection, tmp_path, capsys):
    out = tmp_path / "root"
    out.mkdir()
    assert training_root.main(["--data", str(collection), "--out", str(out)]) == 2
    assert f"{out} exists" in capsys.readouterr().err
    assert training_root.main(["--data", str(tmp_path), "--out", str(tmp_path / "new")]) == 2
    error = capsys.readouterr().err
    assert "none of the folders dataset1" in error and "Traceback" not in error
    assert not (tmp_path / "new").exists() and [*tmp_path.iterdir()] == [out]
    with pytest.raises(training_root.RootError, match="stranger_1 is of no known laboratory"):
        training_root.lab_of("stranger_1")


def test_a_set_that_is_missing_is_named(collection, tmp_path, capsys):
    (tmp_path / "dataset1").symlink_to(collection / "dataset1")
    assert training_root.assemble(tmp_path, tmp_path / "root") == {"dataset1": 2}
    error = capsys.readouterr().err
    assert "no unseen/imaginal-disc, training/ipsc-crops" in error
    assert "no training/no-body; left out" in error


def test_truth_is_the_labels_and_groups_follow_the_names(collection):
    by_name = {each.name: each for each in sets.SETS}
    frames = sets.pairs(collection, by_name["ipsc-frames"])
    assert {pair.mask.parent.name for pair in frames} == {"labels"}
    assert {pair.dataset for pair in frames} == {"ipsc-frames"}
    assert by_name["fly-embryos"].group("valid_6d40-11") == "6d40"
    every = sets.pairs(collection, by_name["neurospheres"], every=3)
    assert [pair.stem for pair in every] == ["neurospheres_0", "neurospheres_3"]
