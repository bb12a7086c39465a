"""Tests of the documents: links, names and tables that must agree with the code."""

import re

import pytest
from helpers import ROOT
from PIL import Image

from benchmarks import picture
from configs import adver, unet
from docs import column_reference, config_reference
from spheroid_jax import workdir
from spheroid_jax.evaluation import matching, records
from spheroid_jax.training import settings

DOCS = ROOT / "docs"
PAPER = (DOCS / "evidence" / "paper.md").read_text()
PLACES = sorted(set(re.findall(r"`([\w/.]+\.py): (\w+)`", PAPER)))
KEYS = sorted(set(re.findall(r"`config\.([\w.]+)`", PAPER)))
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
LINKS = sorted(
    {
        (str(page.relative_to(ROOT)), target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text())
        if not target.startswith("http")
    }
)
FILES = sorted(
    {
        file
        for page in PAGES
        for file in re.findall(
            r"\b(?:spheroid_jax|configs|benchmarks)/[\w/]+\.py", page.read_text()
        )
    }
)
WIDTH = 100


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
    file, _, anchor = target.partition("#")
    path = (ROOT / page).parent / file if file else ROOT / page
    assert path.exists()
    if anchor:
        assert anchor in anchors(path.read_text())


def anchors(text):
    """Lists the anchors of a page's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", FILES)
def test_a_module_that_is_named_is_there(file):
    assert (ROOT / file).is_file()


def test_there_is_something_to_check():
    assert len(PLACES) > 30 and len(KEYS) > 10 and len(LINKS) > 30 and len(FILES) > 5


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 100


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_prose_is_wrapped(page):
    """Tables, code and the measurements that a benchmark writes may be wider."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    text = re.sub(r"<!-- measured -->.*<!-- end of measured -->", "", text, flags=re.S)
    wide = [line for line in text.splitlines() if len(line) > WIDTH and line[0] not in "|!"]
    assert wide == []


def test_the_page_of_columns_is_current():
    """If this fails: python -m docs.column_reference."""
    assert column_reference.PAGE.read_text() == column_reference.page()


def test_the_config_page_is_current():
    """If this fails: python -m docs.config_reference."""
    assert config_reference.PAGE.read_text() == config_reference.page()
    values = re.findall(r"^\| `([\w.]+)`", config_reference.page(), re.M)
    network = settings.flatten(settings.nested(unet.get_config()))
    assert values == [
        *settings.flatten(settings.nested(adver.get_config())),
        *(key for key in network if key.startswith("model.")),
    ]


def test_a_config_value_without_a_comment_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "adver.py").write_text("    config.seed = 0\n")
    monkeypatch.setattr(config_reference, "_CONFIGS", tmp_path)
    with pytest.raises(ValueError, match=r"adver\.py: config\.seed has no comment"):
        config_reference.page()


def test_the_work_directory_page_has_every_file():
    page = (DOCS / "reference" / "work-directory.md").read_text()
    files = re.findall(r"^    WORKDIR/(.+?)  ", workdir.__doc__, re.M)
    assert len(files) > 10
    for file in files:
        assert f"`{file}" in page


def test_the_formats_page_has_every_column_of_the_scores():
    page = (DOCS / "reference" / "formats.md").read_text()

    def named(heading):
        section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        return re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.+?) \|", section, re.M)))

    assert named("scores.csv") == [*records._PLACE, *records._SCORES]
    assert named("instances.csv") == [*matching.InstanceScores._fields]


def test_the_api_page_has_every_public_name():
    """All but `__version__`, as the package's stub lists them."""
    stub = (ROOT / "spheroid_jax" / "__init__.pyi").read_text()
    public = re.findall(r"^from \S+ import (\w+)", stub, re.M)
    page = (DOCS / "reference" / "api.md").read_text()
    assert set(public) <= set(re.findall(r"^::: [\w.]+\.(\w+)$", page, re.M))


def test_the_menu_of_the_site_has_every_page():
    menu = set(re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M))
    assert menu == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}


def test_the_picture_can_be_drawn_from_files(tmp_path):
    shown = tmp_path / "drawn.png"
    Image.fromarray(picture.varied.make_image(17, seed=7, size=64)[0]).save(tmp_path / "image.png")
    picture.main([str(tmp_path / "image.png"), f"--output={shown}"])
    with Image.open(shown) as drawn:
        assert drawn.size == (picture._SIDE_PX, picture._SIDE_PX)


def test_the_committed_picture_is_small():
    assert (DOCS / "pictures" / "results.png").stat().st_size < 300_000
