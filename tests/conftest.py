"""Settings of all tests: strict shapes, several CPU devices, small images."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# ruff: noqa: E402  (JAX reads its platform when it is imported)
import jax
import numpy as np
import pytest
from hypothesis import settings

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_num_cpu_devices", 4)
# Tiny arrays run fast anyhow; compiling is what takes the tests' time.
jax.config.update("jax_disable_most_optimizations", True)

# Examples are drawn alike in every run; a busy machine is no failure.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


@pytest.fixture
def rng():
    """A seeded generator."""
    return np.random.default_rng(0)


@pytest.fixture
def data_root(tmp_path):
    """A data root of 8 and 7 small images."""
    # Not above: jaxtyping checks a package that is imported after it.
    from helpers import write_root

    return write_root(tmp_path / "root", {"dataset1": 8, "dataset2": 7})


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """A data root, and an environment whose caches are the test's own."""
    from helpers import ROOT, write_root

    folder = tmp_path_factory.mktemp("launch")
    root = write_root(folder / "root", {"dataset1": 8, "dataset2": 7})
    environment = os.environ | {
        "XDG_CACHE_HOME": str(folder / "cache"),
        "MPLCONFIGDIR": str(folder / "cache"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }
    return folder, root, environment


@pytest.fixture(scope="session")
def trained(workplace):
    """The uninterrupted run that others are held against."""
    from launching import TF, demo, launch

    status, out, err = launch(workplace, *demo(workplace, "trained", TF))
    assert status == 0, err
    return workplace[0] / "trained" / "fold_0", out, err
