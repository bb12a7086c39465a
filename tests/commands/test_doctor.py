"""Tests of `spheroid doctor`: its findings, and the problems of a damaged installation."""

import re
import tomllib

import pytest
from helpers import ROOT, thresholding

from spheroid_jax import __version__
from spheroid_jax.commands import doctor
from spheroid_jax.inference import model_file, pretrained
from spheroid_jax.runtime import cache, compilation


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keeps the tests away from the user's cache folder and from the settings of JAX."""
    monkeypatch.setattr(cache, "folder", lambda given="": tmp_path / "cache")
    monkeypatch.setattr(compilation, "keep_programs", lambda folder: None)


def test_a_sound_installation_is_well_and_segments(capsys):
    assert doctor.main([]) == 0
    out = capsys.readouterr().out
    assert out.endswith("All is well.\n")
    assert re.search(rf"spheroid_jax +{re.escape(__version__)}\n", out)
    for heading in doctor.CHECKS:
        assert f"\n{heading}\n" in f"\n{out}"
    assert "default backend: " in out
    assert f"{cache.folder()}: not made yet, can be made" in out
    assert re.search(rf"{pretrained.DEFAULT} +weights as packaged \(SHA-256 [0-9a-f]{{12}}\)", out)
    (score,) = re.findall(rf"with {pretrained.DEFAULT}: F-score (0\.\d+)", out)
    assert float(score) > 0.97


def test_damaged_weights_are_a_problem_and_the_other_checks_go_on(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "pretrained" / pretrained.DEFAULT
    model_file.save(thresholding(), folder, provenance={})
    (weights,) = folder.glob("weights-*.npz")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    assert doctor.main([]) == 1
    out = capsys.readouterr().out
    assert re.search(rf"{pretrained.DEFAULT} +cannot be used", out)
    assert "2 problems:\n  Packaged models: " in out
    assert "\n  Drawn image: " in out


def test_a_cache_folder_that_cannot_be_made_is_a_problem(tmp_path, monkeypatch, capsys):
    (tmp_path / "cache").write_text("a file in the way")
    monkeypatch.setattr(doctor, "CHECKS", {"Cache folder": doctor.CHECKS["Cache folder"]})
    assert doctor.main([]) == 1
    assert "cache is not writable" in capsys.readouterr().out


def test_the_extras_are_those_of_the_package():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = declared["optional-dependencies"]
    for extra, packages in doctor.EXTRAS.items():
        names = {re.split(r"[^\w-]", requirement)[0] for requirement in extras[extra]}
        assert {name for alternatives in packages for name in alternatives} == names, extra
    left_out = {"test", "docs", "cuda", "tpu"}  # Nothing that a user misses.
    assert set(doctor.EXTRAS) == extras.keys() - left_out


def test_a_missing_extra_is_told_with_its_command(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "EXTRAS", {"train": (("optax",), ("no-such-package",))})
    monkeypatch.setattr(doctor, "CHECKS", {"Extras": doctor.CHECKS["Extras"]})
    assert doctor.main([]) == 0
    said = 'no-such-package missing: pip install "spheroid-jax[train]"'
    assert said in capsys.readouterr().out
