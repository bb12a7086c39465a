"""Imports go one way, and each library stays where it belongs."""

import ast
import tomllib

import pytest
from helpers import ROOT

PACKAGE = ROOT / "spheroid_jax"
# `__version__` is a constant of the package itself.
GROUND = {"__version__", "errors", "runtime"}
# Each folder (or module) of the package, floor by floor, with what else of the package it may
# import. A place that needs less than its folder has its own line.
ALLOWED = {
    # The ground.
    "errors": set(),
    "runtime": {"errors"},
    # Floor 1.
    "images": GROUND,
    "models": GROUND,
    "synthetic": GROUND,
    "workdir": GROUND,
    # Floor 2.
    "report": GROUND | {"images"},
    "data": GROUND | {"images", "synthetic", "workdir"},
    "inference": GROUND | {"images", "models", "workdir"},
    # Floor 3.
    "evaluation": GROUND | {"data", "images", "inference", "report", "workdir"},
    # Floor 4.
    "training": GROUND
    | {"data", "evaluation", "images", "inference", "models", "synthetic", "workdir"},
    "truth": GROUND | {"data", "images", "inference", "report"},
    # The roof.
    "commands": GROUND
    | {
        *("data", "evaluation", "images", "inference", "models", "report", "synthetic"),
        *("training", "truth", "workdir"),
    },
    "__main__": {"commands"},
}
# Libraries that belong to few modules.
ONLY_IN = {
    "tensorflow": {"data/pipeline", "data/records"},
    "tensorflow_datasets": {"data/records"},
    "matplotlib": {"report/f_scores", "report/figures", "report/svg", "report/training"},
    "orbax": {"training/checkpoint"},
    "tensorboardX": {"training/progress"},
    "tqdm": {"training/progress"},
    "ml_collections": {"training/setup"},
    "tifffile": {"images/formats/tiff"},
    "PIL": {"images/__init__", "synthetic/camera"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """All modules that a file imports, at any depth, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{a.name}" for a in node.names)


def name_of(path):
    return str(path.relative_to(PACKAGE).with_suffix(""))


def home_of(path):
    name = name_of(path)
    return name if name in ALLOWED else name.split("/")[0]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path):
    home = home_of(path)
    if home == "__init__":
        return  # It names its modules and imports them on demand.
    used = {name.split(".")[1] for name in imports(path) if name.startswith("spheroid_jax.")}
    assert used - {home} <= ALLOWED[home]


def test_the_table_has_exactly_the_modules_there_are():
    homes = {home_of(path) for path in FILES}
    assert homes - {"__init__"} == ALLOWED.keys()


def test_the_table_has_no_circle():
    left = {module: set(siblings) for module, siblings in ALLOWED.items()}
    while left:
        leaves = {module for module in left if not left[module] & left.keys()}
        assert leaves, f"circle among {sorted(left)}"
        left = {m: s for m, s in left.items() if m not in leaves}


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_where_it_belongs(library):
    users = {
        name_of(path)
        for path in FILES
        if any(name.split(".")[0] == library for name in imports(path))
    }
    assert users == ONLY_IN[library]


def test_requirements_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    declared = project["dependencies"] + extras["train"] + extras["report"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = [line for line in lines if line and not line.startswith("#")]
    assert sorted(required) == sorted(declared)
