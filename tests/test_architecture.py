"""Tests of the architecture: imports, libraries, configs, file lengths."""

import ast
import importlib.metadata
import re
import sys
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
    "workdir": GROUND,
    # A drawn window is resampled as an image is.
    "synthetic": GROUND | {"images"},
    # Floor 2.
    "report": GROUND | {"images"},
    "data": GROUND | {"images", "synthetic", "workdir"},
    "inference": GROUND | {"images", "models", "workdir"},
    # Floor 3.
    "evaluation": GROUND | {"data", "images", "inference", "report", "workdir"},
    "lab": GROUND | {"images", "inference", "report"},
    # Floor 4.
    "training": GROUND
    | {"data", "evaluation", "images", "inference", "models", "synthetic", "workdir"},
    "truth": GROUND | {"data", "images", "inference", "report"},
    "plates": GROUND | {"evaluation", "report"},
    # The roof.
    "commands": GROUND
    | {
        *("data", "evaluation", "images", "inference", "lab", "models", "plates", "report"),
        *("synthetic", "training", "truth", "workdir"),
    },
    "__main__": {"commands"},
}
# Libraries that belong to few modules.
ONLY_IN = {
    "tensorflow": {"data/pipeline", "data/records"},
    "tensorflow_datasets": {"data/records"},
    "matplotlib": {
        *("report/f_scores", "report/figures", "report/heat_map", "report/journal"),
        *("report/plate_figures", "report/survival", "report/svg", "report/training"),
    },
    "jinja2": {"report/page"},
    "orbax": {"training/checkpoint"},
    "tensorboardX": {"training/progress"},
    "tqdm": {"commands/progress", "training/progress"},
    "roifile": {"lab/outlines"},
    "nd2": {"images/formats/nd2"},
    "pylibCZIrw": {"images/formats/czi"},
    "liffile": {"images/formats/lif"},
    "zarr": {"images/formats/ome_zarr"},
    "bioio": {"images/formats/bioio"},
    "bioio_base": {"images/formats/bioio"},
    "xlsxwriter": {"report/sheets"},
    "pyarrow": {"report/sheets"},
    "openpyxl": {"plates/layout_excel"},
    "ml_collections": {"training/setup"},
    "tifffile": {"images/formats/tiff", "lab/outlines"},
    "PIL": {
        *("images/grid", "images/write", "report/overlay", "synthetic/camera"),
        "synthetic/scenes/marks",
        *(f"images/formats/{name}" for name in ("lzw", "pillow", "tiff_pages")),
    },
}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """Yields the dotted names of all modules that a file imports, also inside functions."""
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
        return  # The package imports its modules on demand.
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
    declared = {*project["dependencies"], *extras["train"], *extras["report"]}
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    required = [line for line in lines if line and not line.startswith("#")]
    assert sorted(required) == sorted(declared)


def test_the_train_extra_installs_all_that_training_imports():
    """Follows the imports from launch.py and configs/, also inside functions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["train"]
    installed = {re.match(r"[\w-]+", line)[0].lower().replace("_", "-") for line in lines}
    distributions = importlib.metadata.packages_distributions()
    waiting, seen, missing = [ROOT / "launch.py", *(ROOT / "configs").glob("*.py")], set(), set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for name in imports(path):
            top = name.split(".")[0]
            if top == "spheroid_jax":
                waiting += set(files_of(name)) - seen
            elif top not in {*sys.stdlib_module_names, "configs"}:
                found = {d.lower().replace("_", "-") for d in distributions.get(top, [])}
                if not found & installed:
                    missing.add(top)
    assert PACKAGE / "report" / "figures.py" in seen
    # Formats of microscopes' makers are optional: a missing one is told by its file.
    assert missing == {"bioio", "bioio_base", "liffile", "nd2", "pylibCZIrw", "zarr"}


def files_of(name):
    """Returns the files of the package that importing a dotted name runs."""
    parts = name.split(".")[1:]
    places = [PACKAGE.joinpath(*parts[:n]) for n in range(len(parts) + 1)]
    candidates = [*(p.with_suffix(".py") for p in places), *(p / "__init__.py" for p in places)]
    return [path for path in candidates if path.is_file()]


def test_only_settings_and_setup_read_a_config():
    """Finds `config.train` and `config["train"]`; other modules take resolved values."""
    readers = {
        name_of(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "config"
    }
    assert readers == {"training/settings", "training/setup"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_module_needs_what_windows_lacks(path):
    lacking = {
        "os": {"fork", "getuid", "kill", "killpg", "sched_getaffinity", "sysconf", "umask"},
        "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "alarm", "pause"},
    }
    used = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr in lacking.get(node.value.id, ())
    }
    modules = {"fcntl", "grp", "pwd", "resource", "termios"} & set(imports(path))
    assert not used | modules


def test_no_file_is_longer_than_400_lines():
    places = ("spheroid_jax", "configs", "tests", "benchmarks")
    files = [path for place in places for path in (ROOT / place).rglob("*")]
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in [ROOT / "launch.py", *files]
        if path.suffix in {".py", ".pyi", ".css", ".js", ".html"}
    }
    assert "spheroid_jax/report/templates/page.css" in lengths
    assert not {name for name, length in lengths.items() if length > 400}
