"""Tests of a page's file: what it contains, escaped and embedded."""

import base64
import io
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from helpers import disk
from pages import MODELS, NASTY, SIZE, SVG, blob, data_of, scored_image, table, with_score, write
from PIL import Image
from skimage import draw

from spheroid_jax.evaluation import metrics
from spheroid_jax.report import page
from spheroid_jax.report.tables import Cell


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
    assert labels.count(NASTY) == 3
    data = data_of(text)
    assert data["models"] == [NASTY]
    assert data["images"][0]["name"] == data["images"][0]["dataset"] == NASTY


def test_a_number_and_its_percent_sign_stay_on_one_line(tmp_path):
    text = write(tmp_path / "page.html", summary=["The 95 % interval, 3 %."])
    assert "<p>The 95\N{NO-BREAK SPACE}% interval, 3\N{NO-BREAK SPACE}%.</p>" in text


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


def test_500_images_take_less_than_25_megabytes(large):
    assert large.stat().st_size < 25e6
