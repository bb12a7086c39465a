"""Tests of the report: what the file holds, and what a browser makes of it."""

import base64
import io
import json
import math
import re
import time
from html.parser import HTMLParser

import browser
import numpy as np
import pytest
from helpers import disk
from PIL import Image
from skimage import draw

from spheroid_jax.evaluation import metrics
from spheroid_jax.report import page, tables
from spheroid_jax.report.tables import Cell

SIZE = 96
NASTY = """</script><b>"Ärger" & 'Co'</b><!-- ]]> ${x} $title \u2028"""
MODELS = ("base", "adver")
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">'
    b'<circle id="a" cx="9" cy="9" r="8"/></svg>'
)


def blob(rng, size, *, wobble=0.15):
    """A boolean body whose radius waves, somewhere about the middle."""
    row, column = rng.uniform(0.4, 0.6, 2) * size
    rows, columns = np.mgrid[:size, :size]
    angle = np.arctan2(rows - row, columns - column)
    radius = np.ones_like(angle)
    for waves in range(2, 12):
        swing = wobble * rng.normal() / waves
        radius += swing * np.cos(waves * angle + rng.uniform(0, 2 * np.pi))
    radius *= rng.uniform(0.15, 0.3) * size
    return np.hypot(rows - row, columns - column) <= radius


def scored_image(rng, *, size=SIZE, models=MODELS, folds=2, **names):
    """A `ScoredImage` whose scores are those of its masks."""
    truth = blob(rng, size)
    image = np.where(truth, 0.3, 0.8) + rng.normal(0, 0.05, truth.shape)
    predictions = {}
    for model in models:
        masks = [blob(rng, size) for _ in range(folds)]
        scores = [100 * metrics.pixel_scores(m, truth).f_score for m in masks]
        predictions[model] = page.Prediction(
            masks, {"F": np.mean(scores), "HD95 px": np.float32(12.3)}, (min(scores), max(scores))
        )
    names = {"dataset": "dataset1", "name": "a"} | names
    return page.ScoredImage(
        image=image.astype(np.float32), truth=truth, predictions=predictions, **names
    )


def with_score(image, model, score):
    """The image with a model's F, in every fold, replaced."""
    old = image.predictions[model]
    new = old._replace(scores=old.scores | {"F": score}, f_range=(score, score))
    return image._replace(predictions=image.predictions | {model: new})


def table(rows, *, title="Scores", caption="Means.", headings=("model", "F"), groups=()):
    return page.Table(title, caption, tables.Table("", headings, rows, groups))


def write(path, **changes):
    """Writes a page of little but `changes`; returns its text."""
    contents = {"tables": [], "figures": [], "images": [], "facts": []}
    page.write(path, **{"title": "A page", "summary": ["Short."]} | contents | changes)
    return path.read_text("utf-8")


def data_of(text):
    (found,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    return json.loads(found, parse_constant=pytest.fail)


class Reader(HTMLParser):
    """Tags with their attributes, and the text of all elements."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)


def rasterised(path, shape):
    """The mask that a path goes around, by the even-odd rule."""
    mask = np.zeros(shape, bool)
    for loop in re.findall(r"M([^z]+)z", path):
        points = np.array(re.findall(r"-?\d+", loop), int).reshape(-1, 2)
        x, y = np.cumsum(points, axis=0).T / 2 - 0.5
        inside = np.zeros(shape, bool)
        inside[draw.polygon(y, x, shape)] = True
        mask ^= inside
    return mask


def outlines_of(tmp_path, *masks):
    """The paths of masks, by way of the file."""
    image = page.ScoredImage(
        "dataset1",
        "a",
        np.zeros(masks[0].shape, np.float32),
        masks[0],
        {"base": page.Prediction(list(masks), {"F": 100.0}, (100.0, 100.0))},
    )
    text = write(tmp_path / "page.html", images=[image])
    (card,) = data_of(text)["images"]
    assert card["truth"] == card["predictions"][0]["folds"][0]
    return card["predictions"][0]["folds"]


# What the file holds.


def test_every_image_and_model_is_in_it(tmp_path, rng):
    shown = [scored_image(rng, name=f"well {n}", dataset=f"dataset{1 + n % 2}") for n in range(5)]
    data = data_of(write(tmp_path / "page.html", images=iter(shown)))
    assert data["models"] == list(MODELS)
    assert data["scores"] == ["F", "HD95 px"]
    assert [(c["dataset"], c["name"]) for c in data["images"]] == [
        (image.dataset, image.name) for image in shown
    ]
    for card, image in zip(data["images"], shown, strict=True):
        for got, model in zip(card["predictions"], MODELS, strict=True):
            prediction = image.predictions[model]
            expected = [prediction.scores["F"], 12.3]
            np.testing.assert_allclose(got["scores"], expected, atol=6e-3)
            np.testing.assert_allclose(got["range"], prediction.f_range, atol=6e-3)
            assert len(got["folds"]) == len(prediction.masks)


def test_a_model_without_a_prediction_is_null(tmp_path, rng):
    shown = [scored_image(rng), scored_image(rng, models=("unet", "base"))]
    data = data_of(write(tmp_path / "page.html", images=shown))
    assert data["models"] == ["base", "adver", "unet"]
    present = [
        [prediction is not None for prediction in card["predictions"]] for card in data["images"]
    ]
    assert present == [[True, True, False], [True, False, True]]


@pytest.mark.parametrize(("size", "shown"), [(480, 256), (96, 96)])
def test_pictures_are_small_jpegs_of_the_image(tmp_path, rng, size, shown):
    image = scored_image(rng, size=size, folds=1)
    (card,) = data_of(write(tmp_path / "p.html", images=[image]))["images"]
    picture = Image.open(io.BytesIO(base64.b64decode(card["jpeg"])))
    assert (picture.format, picture.mode) == ("JPEG", "L")
    assert picture.size == (shown, shown)
    there = np.asarray(picture.resize((size, size))) / 255
    assert np.abs(there - image.image).mean() < 0.06


def test_what_names_hold_stays_text(tmp_path, rng):
    text = write(
        tmp_path / "page.html",
        title=NASTY,
        summary=[NASTY],
        tables=[
            table(
                [[NASTY, NASTY, Cell(1.0)]],
                title=NASTY,
                caption=NASTY,
                headings=[NASTY, "P", "F"],
                groups=[(NASTY, 3)],
            )
        ],
        figures=[page.Figure(NASTY, NASTY, SVG)],
        images=[scored_image(rng, name=NASTY, dataset=NASTY, models=(NASTY,))],
        facts=[page.Fact(NASTY, NASTY)],
    )
    reader = Reader(text)
    tags = [tag for tag, _ in reader.tags]
    assert (tags.count("script"), tags.count("b")) == (2, 1)
    # Title, heading, paragraph; table: title, caption, group, heading, two cells;
    # figure: title, caption; fact: title, text.
    words = [word.strip("\n") for word in reader.words]
    assert words.count(NASTY) == 13
    labels = [a.get("aria-label", a.get("alt")) for _, a in reader.tags]
    assert labels.count(NASTY) == 2
    data = data_of(text)
    assert data["models"] == [NASTY]
    assert data["images"][0]["name"] == data["images"][0]["dataset"] == NASTY


def test_a_name_that_is_not_unicode_can_be_written(tmp_path, rng):
    name = b"well \xff.tif".decode("utf-8", "surrogateescape")
    text = write(
        tmp_path / "page.html", tables=[table([[name, "1"]])], images=[scored_image(rng, name=name)]
    )
    assert "well ?.tif" in text


@pytest.mark.parametrize("score", [None, math.nan, math.inf])
def test_a_score_that_is_none_is_a_dash(tmp_path, rng, score):
    image = with_score(scored_image(rng), "base", score)
    cell = Cell(math.nan if score is None else score, spread=1.0)
    text = write(tmp_path / "page.html", tables=[table([["base", cell]])], images=[image])
    assert '<td class="number">–</td>' in text
    assert data_of(text)["images"][0]["predictions"][0]["scores"][0] is None


def test_a_table_is_html_with_values_to_sort_by(tmp_path):
    rows = [
        ["base", Cell(50.0, 1.0, best=True, digits=1)],
        ["adver", Cell(np.float32(25), 2.0, digits=1)],
    ]
    text = write(tmp_path / "page.html", tables=[table(rows)])
    assert '<th scope="col">model</th><th scope="col" class="number">F' in text
    assert (
        '<tr><th scope="row">base</th><td class="number" data-value="50.0">'
        "<strong>50.0 ± 1.0</strong></td></tr>"
    ) in text
    assert '<td class="number" data-value="25.0">25.0 ± 2.0</td>' in text


def test_groups_of_columns_stand_above_the_headings(tmp_path):
    shown = table([["base", Cell(1.0)]], groups=[("", 1), ("dataset1", 1)])
    text = write(tmp_path / "page.html", tables=[shown])
    assert '<tr><td colspan="1"></td><th scope="colgroup" colspan="1">dataset1</th></tr>' in text


def test_a_figure_is_its_own_document(tmp_path):
    text = write(tmp_path / "page.html", figures=[page.Figure("Spread", "Folds.", SVG)])
    (image,) = [a for tag, a in Reader(text).tags if tag == "img" and "alt" in a]
    kind, content = image["src"].split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(content) == SVG
    assert image["alt"] == "Spread"


def test_it_asks_for_nothing_from_outside(tmp_path, rng):
    text = write(
        tmp_path / "page.html",
        figures=[page.Figure("Spread", "Folds.", SVG)],
        images=[scored_image(rng)],
    )
    assert not re.search(r"https?:", text)
    assert "default-src 'none'" in text
    for _, attributes in Reader(text).tags:
        for name in {"src", "href"} & attributes.keys():
            assert attributes[name].startswith(("data:", "#"))


def test_the_same_input_gives_the_same_bytes(tmp_path):
    texts = [
        write(
            tmp_path / f"{n}.html",
            images=[scored_image(np.random.default_rng(1))],
            tables=[table([["base", Cell(1.0, best=True)]])],
        )
        for n in range(2)
    ]
    assert texts[0] == texts[1]


def test_outlines_give_the_masks_back(tmp_path, rng):
    ring = disk(240, (110, 130), 80) & ~disk(240, (100, 140), 35)
    cut = disk(240, (0, 200), 90)
    two = disk(240, (60, 60), 30) | disk(240, (170, 180), 20)
    masks = [ring, cut, two, *(blob(rng, 240) for _ in range(5))]
    for mask, path in zip(masks, outlines_of(tmp_path, *masks), strict=True):
        again = rasterised(path, mask.shape)
        assert metrics.pixel_scores(again, mask).f_score > 0.985


def test_an_outline_lies_on_the_pixels_edges(tmp_path):
    whole, none, corner = np.ones((3, SIZE, SIZE), bool)
    none[:], corner[1:], corner[:, 1:] = False, False, False
    paths = outlines_of(tmp_path, whole, none, corner)
    points = np.array(re.findall(r"-?\d+", paths[0]), int).reshape(-1, 2)
    x, y = np.cumsum(points, axis=0).T
    assert (x.min(), x.max(), y.min(), y.max()) == (0, 192, 0, 192)
    assert paths[1] == ""
    # One pixel: the diamond around its centre at (1, 1), not simplified away.
    points = np.array(re.findall(r"-?\d+", paths[2]), int).reshape(-1, 2)
    corners = {tuple(point) for point in np.cumsum(points, axis=0).tolist()}
    assert corners == {(1, 0), (0, 1), (2, 1), (1, 2)}


def test_what_does_not_fit_is_an_error(tmp_path, rng):
    image = scored_image(rng)
    path = tmp_path / "page.html"
    with pytest.raises(ValueError, match="'Scores': 1 cells under 2"):
        write(path, tables=[table([["base"]])])
    with pytest.raises(ValueError, match=r"dataset1/a: mask \(9, 9\) on"):
        write(path, images=[image._replace(truth=np.ones((9, 9), bool))])
    lost = image.predictions["base"]._replace(scores={"IoU": 50.0})
    with pytest.raises(ValueError, match="dataset1/a, base: no score 'F'"):
        write(path, images=[image._replace(predictions={"base": lost})])
    assert not path.exists()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A page of 500 images, of which few are distinct: drawing takes long."""
    rng = np.random.default_rng(0)
    models = ("unet", "base", "adver", "otsu")
    distinct = [scored_image(rng, size=480, models=models, folds=5) for _ in range(3)]
    drawn = {}
    draw_outline = page._outline

    def outline(scored, mask):
        if id(mask) not in drawn:
            drawn[id(mask)] = draw_outline(scored, mask)
        return drawn[id(mask)]

    path = tmp_path_factory.mktemp("large") / "page.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "_outline", outline)
        write(path, images=(distinct[n % 3]._replace(name=f"well {n}") for n in range(500)))
    return path


def test_500_images_take_less_than_25_megabytes(large):
    assert large.stat().st_size < 25e6


# What a browser makes of it.

needs_chromium = pytest.mark.skipif(browser.COMMAND is None, reason="chromium is not installed")
NAMES = "[...document.querySelectorAll('.card h3')].map(e => e.textContent)"
COUNT = "document.getElementById('count').textContent"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    started = browser.Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A page of five images: F 50 to 90 with base, 90 to 50 with adver."""
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
        tables=[table(rows)],
        figures=[page.Figure("Spread", "Folds.", SVG)],
        images=[*shown, lost],
        facts=[page.Fact("Versions", "jax 1")],
    )
    return path


@pytest.fixture
def opened(chromium, small):
    """Opens the small page, at a hash; at the end nothing has gone wrong."""
    tabs = []

    def open_at(choice=""):
        tabs.append(browser.Tab(chromium, f"{small.as_uri()}{choice}"))
        return tabs[-1]

    yield open_at
    for tab in tabs:
        assert tab.errors() == []
        assert {url.split("#")[0] for url in tab.addresses()} == {small.as_uri()}


def fill_in(tab, name, value):
    """Sets a field as a user does."""
    tab.run(
        f"{{ const field = document.forms[0].elements[{json.dumps(name)}];"
        f"field.value = {json.dumps(value)};"
        "field.dispatchEvent(new Event('input', {bubbles: true})); }"
    )


@needs_chromium
def test_it_opens_from_disk_worst_image_first(opened):
    tab = opened()
    assert tab.run(NAMES) == [*(f"well {n}" for n in range(8, 13)), NASTY]
    assert tab.run(COUNT) == "6 of 6 images"
    assert tab.run("document.querySelector('.score').textContent") == "F 50.0 % "
    assert tab.run("[...document.images].every(i => i.complete && i.naturalWidth > 0)")


@needs_chromium
def test_a_link_chooses_images(opened):
    tab = opened("#dataset=dataset1&model=adver&max=80&sort=best")
    assert tab.run(NAMES) == ["well 10", "well 12"]
    assert tab.run(COUNT) == "2 of 6 images"
    fields = "Object.fromEntries(new FormData(document.forms[0]))"
    assert tab.run(fields) == {
        "dataset": "dataset1",
        "model": "adver",
        "min": "",
        "max": "80",
        "sort": "best",
        "outlines": "both",
        "cards": "small",
        "search": "",
    }


@needs_chromium
def test_a_link_to_what_is_not_there_shows_all(opened):
    assert opened("#model=gone&dataset=&sort=no").run(COUNT) == "6 of 6 images"


@needs_chromium
def test_fields_choose_images_and_the_address_follows(opened):
    tab = opened()
    fill_in(tab, "model", "adver")
    fill_in(tab, "sort", "best")
    assert tab.run(NAMES)[:2] == ["well 8", "well 9"]
    fill_in(tab, "min", "55")
    fill_in(tab, "search", "WELL 1")
    assert tab.run(NAMES) == ["well 10", "well 11"]
    address = "#model=adver&min=55&sort=best&search=WELL+1"
    assert tab.run("location.hash") == address
    tab.run("document.getElementById('defaults').click()")
    assert tab.run(COUNT) == "6 of 6 images"
    assert tab.run("location.hash") == ""


@needs_chromium
def test_a_new_hash_chooses_anew_but_a_section_does_not(opened):
    tab = opened("#dataset=dataset2")
    go = (
        "new Promise(done => {{ addEventListener('hashchange', done, "
        "{{once: true}}); location.hash = '{}'; }}).then(() => 0)"
    )
    tab.run(go.format("#tables"))
    assert tab.run(COUNT) == "2 of 6 images"
    tab.run(go.format("#search=12"))
    assert tab.run(NAMES) == ["well 12"]


@needs_chromium
def test_a_score_that_is_none_is_last_and_never_in_bounds(opened):
    tab = opened("#sort=best")
    assert tab.run(NAMES)[-1] == NASTY
    last = "[...document.querySelectorAll('.score')].at(-1).textContent"
    assert tab.run(last).strip() == "F –"
    fill_in(tab, "min", "0")
    assert tab.run(COUNT) == "5 of 6 images"


@needs_chromium
def test_outlines_are_those_of_the_chosen_model(opened, small):
    tab = opened("#model=adver&search=well+8")
    card = data_of(small.read_text("utf-8"))["images"][0]
    drawn = "[...document.querySelectorAll('.card {}')].map(e => {})"
    path = "e.getAttribute('d')"
    folds = card["predictions"][1]["folds"]
    assert tab.run(drawn.format("path.model", path)) == folds
    assert tab.run(drawn.format("path.truth", path)) == [card["truth"]]
    fill_in(tab, "outlines", "truth")
    seen = "e.checkVisibility()"
    assert tab.run(drawn.format("path.model", seen)) == [False, False]
    assert tab.run(drawn.format("path.truth", seen)) == [True]


@needs_chromium
def test_headings_sort_a_table(opened):
    tab = opened()
    rows = "[...document.querySelectorAll('tbody tr')].map(e => e.cells[0].textContent)"
    order = "[...document.querySelectorAll('thead th')].map(e => e.getAttribute('aria-sort'))"
    assert tab.run(order) == ["none", "none"]
    tab.run("document.querySelectorAll('thead button')[1].focus()")
    press(tab, "Enter", "\r")
    assert tab.run(rows)[:4] == ["unet", "adver", "base", "otsu"]
    assert tab.run(order) == ["none", "ascending"]
    press(tab, " ", " ")
    assert tab.run(rows)[:4] == ["base", "adver", "unet", "otsu"]
    assert tab.run(order) == ["none", "descending"]
    tab.run("document.querySelectorAll('thead button')[0].click()")
    assert tab.run(rows)[:4] == ["adver", "base", "otsu", "unet"]
    assert tab.run(order) == ["ascending", "none"]


def press(tab, key, text):
    """Presses a key on what has the focus."""
    for kind in ("keyDown", "keyUp"):
        code = {"Enter": 13, " ": 32}[key]
        tab.call(
            "Input.dispatchKeyEvent", type=kind, key=key, text=text, windowsVirtualKeyCode=code
        )


@needs_chromium
def test_paper_shows_the_details(opened):
    tab = opened()
    is_open = "document.querySelector('details').open"
    assert not tab.run(is_open)
    tab.run(f"addEventListener('beforeprint', () => {{ window.o = {is_open} }})")
    assert base64.b64decode(tab.call("Page.printToPDF")["data"])[:4] == b"%PDF"
    assert tab.run("window.o") is True
    assert not tab.run(is_open)


@needs_chromium
def test_500_images_are_there_within_seconds(chromium, large):
    start = time.monotonic()
    tab = browser.Tab(chromium, f"{large.as_uri()}#model=otsu")
    assert tab.run(COUNT) == "500 of 500 images"
    fill_in(tab, "model", "base")
    assert tab.run("document.querySelectorAll('path.model').length") == 2500
    assert time.monotonic() - start < 15
    assert tab.errors() == []


@needs_chromium
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
    assert browser.Tab(chromium, path.as_uri()).errors()
