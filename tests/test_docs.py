"""What the documents point at is there."""

import re

import pytest
from helpers import ROOT

from configs import adver

PAPER = (ROOT / "docs" / "evidence" / "paper.md").read_text()
PLACES = sorted(set(re.findall(r"`([\w/.]+\.py): (\w+)`", PAPER)))
KEYS = sorted(set(re.findall(r"`config\.([\w.]+)`", PAPER)))
LINKS = sorted(
    {
        (str(page.relative_to(ROOT)), target)
        for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text())
    }
)


@pytest.mark.parametrize(("file", "name"), PLACES)
def test_the_paper_s_sentences_point_at_code_that_is_there(file, name):
    source = (ROOT / "spheroid_jax" / file).read_text()
    defined = rf"^\s*(def|class) {name}\b|^{name} = "
    assert re.search(defined, source, re.M)


@pytest.mark.parametrize("key", KEYS)
def test_the_values_named_are_in_the_paper_s_config(key):
    value = adver.get_config()
    for part in key.split("."):
        value = value[part]
    assert value is not None


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_links_lead_somewhere(page, target):
    if target.startswith("http"):
        return
    assert (ROOT / page).parent.joinpath(target).exists()


def test_there_is_something_to_check():
    assert len(PLACES) > 30 and len(KEYS) > 10 and LINKS
