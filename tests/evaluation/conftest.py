"""Fixtures of the tests of scoring: a data root, and the masks of a tool."""

import numpy as np
import pytest


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The tests' folder; no programs are kept, no models are packaged."""
    # Not above: jaxtyping checks a package that is imported after it.
    from spheroid_jax.inference import pretrained
    from spheroid_jax.runtime import compilation

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compilation, "keep_programs", lambda _: None)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    return tmp_path


@pytest.fixture
def root(here):
    """Two images in one dataset, one in a dataset further down."""
    from helpers import disk
    from scored import TRUTH, add

    add(here / "root" / "easy", "a", TRUTH)
    add(here / "root" / "easy", "b", TRUTH)
    add(here / "root" / "deep" / "hard", "c", disk(50, (25, 25), 9))
    return here / "root"


@pytest.fixture
def tool(here, root):
    """A tool that is right, half right, and sees nothing."""
    from scored import SHIFTED, TRUTH, save

    save(here / "tool" / "easy" / "a.png", TRUTH)
    save(here / "tool" / "easy" / "b.png", SHIFTED)
    save(here / "tool" / "deep" / "hard" / "c.png", np.zeros((50, 50), bool))
    return here / "tool"
