"""Tests of the error messages about missing optional packages."""

import pytest

from spheroid_jax.errors import UserError
from spheroid_jax.runtime import extras


def test_a_missing_package_is_named_with_the_extra_that_installs_it():
    with pytest.raises(UserError) as raised, extras.needed("training", "train", "; or not"):
        import not_there.submodule  # noqa: F401
    assert str(raised.value) == (
        "training needs the package not_there, which is not installed: "
        'pip install "spheroid-jax[train]"; or not'
    )
    assert isinstance(raised.value, ImportError)


def test_a_missing_module_of_our_own_is_our_bug():
    with pytest.raises(ModuleNotFoundError), extras.needed("training", "train"):
        import spheroid_jax.not_there  # noqa: F401


def test_other_errors_pass():
    with pytest.raises(ImportError, match="cannot import"), extras.needed("training", "train"):
        from json import not_there  # noqa: F401
