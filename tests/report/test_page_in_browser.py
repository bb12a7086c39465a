"""Tests of a page in Chromium: filters, sorting, outlines, printing."""

import math
import time

import numpy as np
import pytest
from pages import NASTY, SVG, data_of, scored_image, table, with_score, write

from spheroid_jax.report import page
from spheroid_jax.report.tables import Cell

PATIENCE_MS = 30_000  # A busy machine is no failure.


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A page of six images: F 50 to 90 with base, 90 to 50 with adver, and one without F."""
    rng = np.random.default_rng(0)
    shown = []
    for n in range(5):
        image = scored_image(rng, name=f"well {n + 8}", dataset=f"dataset{1 + n % 2}")
        image = with_score(image, "base", 50 + 10 * n)
        shown.append(with_score(image, "adver", 90 - 10 * n))
    lost = scored_image(rng, name=NASTY, dataset=NASTY)
    lost = with_score(lost, "base", None)
    path = tmp_path_factory.mktemp("small") / "page.html"
    rows = [
        ["unet", Cell(9.5, 1.0)],
        ["otsu", Cell(math.nan)],
        ["base", Cell(77.1, 2.0)],
        ["adver", Cell(10.2, 3.0)],
    ]
    write(
        path,
        tables=[table(rows, groups=[("", 1), ("dataset1", 1)])],
        figures=[page.Figure("Spread", "Folds.", SVG)],
        images=[*shown, lost],
        facts=[page.Fact("Versions", "jax 1")],
    )
    return path


class Watched:
    """A tab, the errors in it, and the addresses that it asks for."""

    def __init__(self, chromium, address):
        self.errors, self.addresses = [], []
        self.tab = chromium.new_page()
        self.tab.set_default_timeout(PATIENCE_MS)
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.on("console", self._note)
        self.tab.on("request", lambda request: self.addresses.append(request.url))
        self.tab.goto(address)

    def _note(self, message):
        if message.type == "error":
            self.errors.append(message.text)


@pytest.fixture
def opened(chromium, small):
    """Opens the small page at a hash; at the end, checks that nothing has gone wrong."""
    watched = []

    def open_at(choice=""):
        watched.append(Watched(chromium, f"{small.as_uri()}{choice}"))
        return watched[-1].tab

    yield open_at
    for each in watched:
        asked = {url.split("#")[0] for url in each.addresses if not url.startswith("data:")}
        each.tab.close()
        assert each.errors == []
        assert asked == {small.as_uri()}


def names(tab):
    return tab.locator(".card h3").all_text_contents()


def field(tab, name):
    return tab.locator(f"#filters [name={name}]")


def count(tab):
    return tab.locator("#count").text_content()


def test_it_opens_from_disk_worst_image_first(opened):
    tab = opened()
    assert names(tab) == [*(f"well {n}" for n in range(8, 13)), NASTY]
    assert count(tab) == "6 of 6 images"
    assert tab.locator(".score").first.text_content() == "F 50.0 % "
    assert tab.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")


def test_a_link_chooses_images(opened):
    tab = opened("#dataset=dataset1&model=adver&max=80&sort=best")
    assert names(tab) == ["well 10", "well 12"]
    assert count(tab) == "2 of 6 images"
    assert tab.evaluate("Object.fromEntries(new FormData(document.forms[0]))") == {
        "dataset": "dataset1",
        "model": "adver",
        "min": "",
        "max": "80",
        "sort": "best",
        "outlines": "both",
        "cards": "small",
        "search": "",
    }


def test_a_link_to_what_is_not_there_shows_all(opened):
    assert count(opened("#model=gone&dataset=&sort=no")) == "6 of 6 images"


def test_fields_choose_images_and_the_address_follows(opened):
    tab = opened()
    field(tab, "model").select_option("adver")
    field(tab, "sort").select_option("best")
    assert names(tab)[:2] == ["well 8", "well 9"]
    field(tab, "min").fill("55")
    field(tab, "search").fill("WELL 1")
    assert names(tab) == ["well 10", "well 11"]
    address = "#model=adver&min=55&sort=best&search=WELL+1"
    assert tab.evaluate("location.hash") == address
    tab.get_by_role("button", name="Reset").click()
    assert count(tab) == "6 of 6 images"
    assert tab.evaluate("location.hash") == ""


def test_a_new_hash_chooses_anew_but_a_section_does_not(opened):
    tab = opened("#dataset=dataset2")
    go = (
        "hash => new Promise(done => { addEventListener('hashchange', () => done(), "
        "{once: true}); location.hash = hash; })"
    )
    tab.evaluate(go, "#tables")
    assert count(tab) == "2 of 6 images"
    tab.evaluate(go, "#search=12")
    assert names(tab) == ["well 12"]


def test_a_score_that_is_none_is_last_and_never_in_bounds(opened):
    tab = opened("#sort=best")
    assert names(tab)[-1] == NASTY
    assert tab.locator(".score").last.text_content().strip() == "F –"
    field(tab, "min").fill("0")
    assert count(tab) == "5 of 6 images"


def test_outlines_are_those_of_the_chosen_model(opened, small):
    tab = opened("#model=adver&search=well+8")
    card = data_of(small.read_text("utf-8"))["images"][0]
    model, truth = tab.locator(".card path.model"), tab.locator(".card path.truth")
    paths = "paths => paths.map(path => path.getAttribute('d'))"
    assert model.evaluate_all(paths) == card["predictions"][1]["folds"]
    assert truth.evaluate_all(paths) == [card["truth"]]
    field(tab, "outlines").select_option("truth")
    seen = "paths => paths.map(path => path.checkVisibility())"
    assert model.evaluate_all(seen) == [False, False]
    assert truth.evaluate_all(seen) == [True]


def test_headings_sort_a_table(opened):
    tab = opened()
    rows = tab.locator("#tables tbody th")
    headings = tab.locator("#tables thead th[scope=col]")
    order = "headings => headings.map(heading => heading.getAttribute('aria-sort'))"
    assert headings.evaluate_all(order) == ["none", "none"]
    tab.get_by_role("button", name="F", exact=True).focus()
    tab.keyboard.press("Enter")
    assert rows.all_text_contents() == ["unet", "adver", "base", "otsu"]
    assert headings.evaluate_all(order) == ["none", "ascending"]
    tab.keyboard.press("Space")
    assert rows.all_text_contents() == ["base", "adver", "unet", "otsu"]
    assert headings.evaluate_all(order) == ["none", "descending"]
    tab.get_by_role("button", name="model").click()
    assert rows.all_text_contents() == ["adver", "base", "otsu", "unet"]
    assert headings.evaluate_all(order) == ["ascending", "none"]


def test_paper_shows_the_details(opened):
    tab = opened()
    is_open = "document.querySelector('details').open"
    assert not tab.evaluate(is_open)
    tab.evaluate(f"addEventListener('beforeprint', () => {{ window.o = {is_open} }})")
    assert tab.pdf()[:4] == b"%PDF"
    assert tab.evaluate("window.o") is True
    assert not tab.evaluate(is_open)


def test_500_images_are_there_within_seconds(chromium, large):
    start = time.monotonic()
    watched = Watched(chromium, f"{large.as_uri()}#model=otsu")
    assert count(watched.tab) == "500 of 500 images"
    field(watched.tab, "model").select_option("base")
    assert watched.tab.locator("path.model").count() == 2500
    assert time.monotonic() - start < 15
    watched.tab.close()
    assert watched.errors == []


@pytest.mark.parametrize(
    ("damage", "with_"),
    [
        ("function show() {", "function show() { nothing.there();"),
        ("<h1>", '<h1><img src="https://example.invalid/a.png">'),
    ],
)
def test_a_broken_page_is_noticed(chromium, small, tmp_path, damage, with_):
    text = small.read_text("utf-8")
    assert text.count(damage) == 1
    path = tmp_path / "broken.html"
    path.write_text(text.replace(damage, with_), "utf-8")
    watched = Watched(chromium, path.as_uri())
    watched.tab.close()
    assert watched.errors
