"""Tests of the cache folder."""

import sys

import pytest

from spheroid_jax.runtime import cache


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have other folders")
def test_the_cache_obeys_the_user_then_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder(str(tmp_path / "own")) == tmp_path / "own"
    assert cache.folder() == tmp_path / "xdg/spheroid_jax"
    for unset in (
        lambda: monkeypatch.setenv("XDG_CACHE_HOME", ""),
        lambda: monkeypatch.delenv("XDG_CACHE_HOME"),
    ):
        unset()
        assert cache.folder() == tmp_path / "home/.cache/spheroid_jax"
    assert not list(tmp_path.iterdir())


def test_asking_for_the_folder_makes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    cache.folder()
    assert not list(tmp_path.iterdir())
