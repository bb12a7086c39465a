"""Tests of packaging models, and of the packaged models."""

import jax
import numpy as np
import pytest
from helpers import SIZE, thresholding, untrained

import spheroid_jax as sj
from configs import adver
from spheroid_jax.commands import package as command
from spheroid_jax.inference import model_file, pretrained
from spheroid_jax.training import package, settings

NAME = "spheroid-test"


@pytest.fixture(autouse=True)
def packaged(tmp_path, monkeypatch):
    """Makes an empty folder of packaged models for the test."""
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pretrained"


def a_fold(folder, model, root="/home/somebody/images"):
    """Writes the model that training leaves in the folder of a fold."""
    config = adver.get_config()
    config.data.root, config.data.cache = root, "/scratch/cache"
    about = {"config": settings.flatten(settings.nested(config)), "fold": 2, "step": 500}
    model_file.save(model, folder / "model", provenance=about)
    return folder


@pytest.fixture
def model(packaged, tmp_path):
    """Packages the model of a fold."""
    model = untrained()
    fold = a_fold(tmp_path / "fold_2", model)
    assert command.main([str(fold), NAME]) == 0
    return model


def test_a_packaged_model_is_loaded_by_its_name(model, rng):
    loaded = sj.load(NAME)
    assert pretrained.names() == [NAME]
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(loaded))
    image = rng.random((50, 60))
    np.testing.assert_allclose(
        sj.segment(loaded, image).probability, sj.segment(model, image).probability, atol=0.01
    )


def test_stored_weights_are_the_float16_nearest(model, packaged):
    (weights,) = (packaged / NAME).glob("weights-*.npz")
    with np.load(weights) as archive:
        assert {archive[name].dtype for name in archive.files} == {np.dtype(np.float16)}
    for ours, theirs in zip(jax.tree.leaves(sj.load(NAME)), jax.tree.leaves(model), strict=True):
        expected = np.asarray(theirs).astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(ours, expected)


def test_what_it_was_trained_with_stays_where_does_not(model, packaged):
    about = model_file.provenance(NAME)
    assert (about["fold"], about["step"]) == (2, 500)
    assert about["config"]["data.root"] == "dataset1, dataset2"
    assert about["config"]["train.samples_per_epoch"] == 6000
    text = (packaged / NAME / "model.json").read_text()
    assert "/home" not in text and "/scratch" not in text


def test_synthetic_images_stay_said(tmp_path):
    a_fold(tmp_path / "fold_0", untrained(), root="synthetic")
    package.package(tmp_path / "fold_0", NAME)
    assert model_file.provenance(NAME)["config"]["data.root"] == "synthetic"


def test_the_command_says_size_parameters_and_hash(tmp_path, capsys):
    fold = a_fold(tmp_path / "fold_2", thresholding())
    assert command.main([str(fold), NAME, "--dtype=float32"]) == 0
    out = capsys.readouterr().out
    # Two 3 x 3 convolutions with bias, and the classes' 1 x 1.
    assert " 24 parameters" in out and "float32" in out
    assert model_file.digest(NAME) in out


def test_a_changed_weight_is_noticed(model, packaged):
    (weights,) = (packaged / NAME).glob("weights-*.npz")
    with np.load(weights) as archive:
        arrays = dict(archive)
    name = sorted(arrays)[0]
    arrays[name].flat[0] += 1e-3
    np.savez(weights, **arrays)
    with pytest.raises(model_file.ModelError, match="damaged"):
        sj.load(NAME)


def test_a_path_goes_before_a_name(model, tmp_path):
    model_file.save(thresholding(), tmp_path / NAME, provenance={})
    assert sj.load(NAME).network == "unet"
    (tmp_path / NAME / "model.json").unlink()
    with pytest.raises(FileNotFoundError, match="neither model.json"):
        sj.load(NAME)


def test_an_unknown_name_lists_those_that_there_are(model):
    with pytest.raises(FileNotFoundError, match=rf"spheroid-tst.*\({NAME}\)"):
        sj.load("spheroid-tst")


def test_without_packaged_models_none_is_listed(packaged):
    with pytest.raises(FileNotFoundError, match="packaged$"):
        sj.load("spheroid-small")


def refused(capsys, *arguments):
    assert command.main([*map(str, arguments)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert pretrained.names() == []
    return error


def test_what_is_too_large_is_refused(tmp_path, capsys, monkeypatch):
    fold = a_fold(tmp_path / "fold_2", thresholding())
    monkeypatch.setattr(package, "_MOST_PARAMETERS", 23)
    assert "0.0 M parameters" in refused(capsys, fold, NAME)
    monkeypatch.setattr(package, "_MOST_PARAMETERS", 24)
    monkeypatch.setattr(package, "_MOST_BYTES", 2 * 24 - 1)
    assert "0.0 MB as float16" in refused(capsys, fold, NAME)
    monkeypatch.setattr(package, "_MOST_BYTES", 2 * 24)
    assert command.main([str(fold), NAME]) == 0


@pytest.mark.parametrize("name", ["../x", "A", "a b", "a_b", "", "-a", "a/b"])
def test_a_bad_name_is_refused(tmp_path, capsys, name):
    fold = a_fold(tmp_path / "fold_2", thresholding())
    assert f"name {name!r}" in refused(capsys, "--", fold, name)


def test_several_networks_are_refused(tmp_path, capsys):
    for n in range(5):
        a_fold(tmp_path / "run" / f"fold_{n}", thresholding())
    assert "one fold's folder" in refused(capsys, tmp_path / "run", NAME)


def test_what_float16_cannot_hold_is_refused(tmp_path, capsys):
    model = thresholding(SIZE)
    model.variables["params"]["classes"]["bias"][:] = 1e5
    fold = a_fold(tmp_path / "fold_2", model)
    assert "params/classes/bias: too large" in refused(capsys, fold, NAME)


def test_every_packaged_model_loads(monkeypatch):
    monkeypatch.undo()  # Those that the package has, if any.
    for name in pretrained.names():
        sizes = [leaf.size for leaf in jax.tree.leaves(sj.load(name))]
        assert sum(sizes) <= package._MOST_PARAMETERS
        assert "data.cache" not in model_file.provenance(name)["config"]
