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
# Compilation takes most of the time of the tests, and tiny arrays are fast without optimization.
jax.config.update("jax_disable_most_optimizations", True)

# Hypothesis draws the same examples in every run, and has no time limit on a busy machine.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


@pytest.fixture
def rng():
    """Returns a seeded random generator."""
    return np.random.default_rng(0)


@pytest.fixture
def data_root(tmp_path):
    """Writes a data root of two datasets with 8 and 7 small images."""
    # Imported here, because jaxtyping only checks packages that are imported after it.
    from helpers import write_root

    return write_root(tmp_path / "root", {"dataset1": 8, "dataset2": 7})


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """Returns a folder, a data root in it, and an environment with caches in the folder."""
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
    """Trains the uninterrupted run with which other runs are compared."""
    from launching import TF, demo, launch

    status, out, err = launch(workplace, *demo(workplace, "trained", TF))
    assert status == 0, err
    return workplace[0] / "trained" / "fold_0", out, err
