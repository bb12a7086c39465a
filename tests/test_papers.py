"""The papers of the project: files that other programs read, and the version they name."""

import re
import tomllib

import pytest
import yaml
from helpers import ROOT

import spheroid_jax


def read(file):
    return yaml.safe_load((ROOT / file).read_text("utf-8"))


def test_the_citation_names_the_paper_and_the_version():
    citation = read("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == spheroid_jax.__version__
    assert citation["license"] == project()["license"]
    paper = citation["preferred-citation"]
    assert [author["family-names"] for author in paper["authors"]] == [
        *("Sadanandan", "Karlsson", "Wählby")
    ]
    assert paper["year"] == 2017
    assert paper["title"] in (ROOT / "README.md").read_text().replace("\n", " ")


def test_the_changes_name_the_version():
    version = re.escape(spheroid_jax.__version__)
    assert re.search(rf"^## {version}$", (ROOT / "CHANGELOG.md").read_text(), re.M)


def test_the_hosted_ci_runs_ours():
    """Everything on the oldest and the newest Python; inference alone elsewhere."""
    jobs = read(".github/workflows/ci.yml")["jobs"]
    assert jobs["all"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert {"run": "bash .ci/run"} in jobs["all"]["steps"]
    assert jobs["inference"]["strategy"]["matrix"]["os"] == ["macos-latest", "windows-latest"]
    assert {"run": "pip install ."} in jobs["inference"]["steps"]


def test_the_oldest_and_the_newest_python_are_classified():
    versions = {line.rpartition(" :: ")[2] for line in project()["classifiers"]}
    assert {"3.11", "3.13"} <= versions
    assert project()["requires-python"] == ">=3.11"


@pytest.mark.parametrize("tool", ["ruff check", "ruff format", "pyright"])
def test_the_tools_of_a_commit_are_those_of_the_ci(tool):
    hooks = [
        hook["entry"] for repo in read(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    ]
    assert any(entry.startswith(tool) for entry in hooks)
    assert re.search(rf"^{tool}\b", (ROOT / ".ci" / "run").read_text(), re.M)


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
