"""Tests of the package as a whole: its public names, its lightness, its types."""

import ast
import importlib.metadata
import subprocess
import sys
import tomllib

import pytest
from helpers import ROOT

import spheroid_jax as sj

PUBLIC = [
    *("MeasureOptions", "Params", "PlateOptions", "Segmentation", "load", "measure"),
    *("measure_files", "plate", "read_image", "segment", "segment_objects", "segment_stream"),
]


def test_importing_the_package_is_light():
    script = "import sys, spheroid_jax; print({'jax', 'numpy'} & set(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", script], check=True, cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert out.strip() == "set()"


def test_public_names_are_all_there():
    assert sj.__all__ == dir(sj) == PUBLIC
    assert all(callable(getattr(sj, name)) for name in PUBLIC)
    with pytest.raises(AttributeError, match="No spheroid_jax attribute nonsense"):
        sj.nonsense  # noqa: B018


def test_the_version_is_that_of_the_installed_package():
    assert sj.__version__ == importlib.metadata.version("spheroid-jax")


def test_editors_see_the_types():
    assert (ROOT / "spheroid_jax" / "py.typed").exists()
    stub = ast.parse((ROOT / "spheroid_jax" / "__init__.pyi").read_text())
    # `name as name` is what type checkers take for a public name.
    names = [a for node in stub.body if isinstance(node, ast.ImportFrom) for a in node.names]
    assert sorted(a.asname for a in names) == PUBLIC


def test_every_file_of_the_package_is_installed():
    """A file that no pattern names is there in a checkout, and missing in an installation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    package = ROOT / "spheroid_jax"
    installed = set(package.rglob("*.py"))
    for name, patterns in project["tool"]["setuptools"]["package-data"].items():
        for pattern in patterns:
            installed |= set((ROOT / name.replace(".", "/")).glob(pattern))
    files = {path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert files - installed == set()


def test_shapes_are_checked_in_every_test():
    from spheroid_jax.models.blocks import max_pool_2x2

    with pytest.raises(Exception, match="Type-check error"):
        max_pool_2x2("no array")
