"""The model card's numbers: arithmetic by hand, and a run over a small collection."""

import json
import math

import numpy as np
import pytest
from helpers import marking, telling_cores, thresholding
from PIL import Image

from benchmarks import other_drawings, sets
from benchmarks.model_card import (
    __main__ as command,
)
from benchmarks.model_card import (
    cores,
    cost,
    discs,
    empties,
    goals,
    instances,
    numbers,
    one_body,
    settings,
    worst,
)
from spheroid_jax.data import folder
from spheroid_jax.evaluation.metrics import Agreement
from spheroid_jax.evaluation.score import pixels, scoring
from spheroid_jax.inference import model_file, pretrained
from spheroid_jax.lab import rules
from spheroid_jax.report import tables


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Folders of two models, without and with markers; both find what is dark."""
    root = tmp_path_factory.mktemp("models")
    for name, params in (("plain", thresholding(48)), ("marked", marking(48))):
        model_file.save(params, root / name, provenance={})
    return root


def run(models, collection, out, *words, name="plain"):
    return command.main(
        ["--model", str(models / name), "--data", str(collection), "--out", str(out), *words]
    )


def test_cores_are_compared_with_those_that_were_drawn(models, tmp_path):
    model_file.save(telling_cores(48), tmp_path / "cores", provenance={})
    given = settings.Given(str(tmp_path / "cores"), tmp_path, tmp_path, 10)
    found = cores.measure(given)
    assert {each["kind"] for each in found} == set(cores.KINDS)
    assert all(0 <= each[name] <= 1 for each in found for name in ("f", "share", "true_share"))
    assert all(each["true_share"] == 1 for each in found if each["kind"] == "discs")
    (table,) = cores.tables(found)
    assert [row[0] for row in table.rows] == list(cores.KINDS.values())
    plain = settings.Given(str(models / "plain"), tmp_path, tmp_path, 10)
    assert cores.measure(plain) == []


@pytest.mark.parametrize("name", ["plain", "marked"])
def test_scores_of_a_model_that_finds_every_disk(models, collection, tmp_path, capsys, name):
    words = ["--parts", "one-body", "instances"]
    assert run(models, collection, tmp_path, *words, name=name) == 0
    card = json.loads((tmp_path / "card.json").read_text())
    one, many = (
        {found["set"]: found for found in card["parts"][part]["found"]}
        for part in ("one-body", "instances")
    )
    assert list(one) == [each.name for each in sets.ONE_BODY]
    assert list(many) == [each.name for each in sets.MANY]
    for found in one.values():
        assert found["f"] > 0.9 and found["boundary_f"] > 0.9
        assert set(found["thresholds"]) == set(found["ahead"])
    assert one["mcf7-collagen"]["groups"] == 1 and one["mcf7-collagen"]["low"] is None
    assert one["dataset1"]["trains"] and not one["dataset2"]["trains"]
    for found in many.values():
        assert found["true"] == found["found"] == found["images"]
        assert found["f1_50"] == 1.0 and found["largest_f"] > 0.9 and found["seconds"] > 0
    text = (tmp_path / "card.md").read_text()
    assert capsys.readouterr().out == text
    assert "| dataset1 (trains) | 2 (2) |" in text and "| orgaquant | 2 (2) |" in text
    for part in ("one-body", "instances"):
        assert (tmp_path / part / "worst" / f"{name}.png").stat().st_size > 1000


def test_a_part_is_added_to_those_of_the_folder_and_other_weights_are_refused(
    models, collection, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(discs, "SIDES", (96,))
    monkeypatch.setattr(discs, "SHARES", (0.3, 0.6))
    assert run(models, collection, tmp_path, "--parts", "one-body", "--every", "2") == 0
    assert run(models, collection, tmp_path, "--parts", "discs") == 0
    card = json.loads((tmp_path / "card.json").read_text())
    assert {name: part["every"] for name, part in card["parts"].items()} == {
        "one-body": 2,
        "discs": 1,
    }
    text = capsys.readouterr().out
    assert "one of 2 images" in text and "### discs" in text and "### one-body" in text
    before = (tmp_path / "card.json").read_bytes()
    assert run(models, collection, tmp_path, "--parts", "discs", name="marked") == 2
    assert "other weights; name another --out" in capsys.readouterr().err
    assert (tmp_path / "card.json").read_bytes() == before
    (tmp_path / "card.json").write_text("{")
    assert run(models, collection, tmp_path, "--parts", "discs") == 2
    assert "card.json: damaged" in capsys.readouterr().err


def agreement(f_score):
    return Agreement(*[f_score] * len(Agreement._fields))._replace(
        hausdorff95_px=math.nan if f_score == 0 else 4.0
    )


def test_a_threshold_is_ahead_where_its_f_is_higher_on_the_same_image():
    rules_ = pixels.rules()
    pairs = [folder.Pair("lab", stem, None, None, stem) for stem in ("a", "b", "c")]
    by_row = {
        "model": (0.9, 0.8, 0.0),
        "conventional otsu": (0.8, 0.9, 0.0),
        "conventional li": (0.95, 0.9, 0.7),
        "conventional best of 2 thresholds": (0.8, 0.9, 0.7),
    }
    rows = [
        scoring.Row(label, np.array([agreement(f) for f in values]), [None] * 3, 0)
        for label, values in by_row.items()
    ]
    found = one_body.numbers("lab", rows, pairs, rules_)
    assert found["ahead"] == {"otsu": ["b"], "li": ["a", "b", "c"]}
    assert found["best_threshold"] == "li"
    assert found["thresholds"]["li"] == pytest.approx(0.85)
    assert found["f"] == pytest.approx(1.7 / 3) and found["best_of"] == pytest.approx(0.8)
    assert found["worst"] == 0 and found["missed"] == 1
    assert found["hd95_px"] == 4.0  # of the images on which there is a body
    scores, ahead = one_body.tables([found | {"trains": False}])
    assert ahead.headings == ["set", "images", "otsu", "li", "on average"]
    assert [tables.text(c) if isinstance(c, tables.Cell) else c for c in ahead.rows[0]] == [
        *("lab", "3", "1", "3", "yes")
    ]
    assert "li" in scores.rows[0]


def test_the_largest_body_has_the_most_pixels_whatever_its_number():
    labels = np.array([[1, 1, 0], [2, 2, 2], [0, 0, 0]])
    np.testing.assert_array_equal(instances.largest(labels), labels == 2)
    assert not instances.largest(np.zeros((2, 2), int)).any()


def test_numbers_of_json_have_no_nan_and_cells_have_a_dash():
    value = {"a": np.float32(0.5), "b": [math.nan, np.int64(3)], "c": np.array(["x"])}
    assert numbers.plain(value) == {"a": 0.5, "b": [None, 3], "c": ["x"]}
    assert tables.text(numbers.cell(None)) == "–"
    assert tables.text(numbers.cell(0.1234)) == "12.3"


@pytest.mark.parametrize("share", [0.03, 0.3])
def test_a_drawn_disc_has_its_diameter(share):
    rng = np.random.default_rng(0)
    image, cover = discs.draw(512, share, (0.1513, -0.0871), (0.75, 0.35), rng)
    true = share * 512
    assert cover.sum() == pytest.approx(math.pi * (true / 2) ** 2, rel=0.005)
    rows, columns = np.nonzero(cover > 0.5)
    assert rows.mean() == pytest.approx(255.5 + 0.1513 * 512, abs=0.3)
    assert columns.mean() == pytest.approx(255.5 - 0.0871 * 512, abs=0.3)
    assert image[cover == 1].mean() == pytest.approx(255 * 0.35, abs=1)
    assert image[cover == 0].mean() == pytest.approx(255 * 0.75, abs=1)
    exact = discs.error(cover > 0.5, cover, share)
    assert exact["found"] and abs(exact["error"]) < 0.02 and exact["iou"] == 1


def test_the_error_of_a_disc_is_that_of_its_diameter_and_another_body_is_not_it():
    _, cover = discs.draw(200, 0.4, (0, 0), (0.75, 0.35), np.random.default_rng(0))
    _, wider = discs.draw(200, 0.44, (0, 0), (0.75, 0.35), np.random.default_rng(0))
    assert discs.error(wider > 0.5, cover, 0.4)["error"] == pytest.approx(0.1, abs=0.005)
    assert not discs.error(np.zeros(cover.shape, bool), cover, 0.4)["found"]
    assert not discs.error(cover < 0.5, cover, 0.4)["found"]


def test_the_slope_is_per_doubling_and_of_the_discs_that_are_found():
    found = [
        {"share": share, "error": error, "found": True}
        for share, error in ((0.05, 0.03), (0.1, 0.02), (0.2, 0.01))
    ]
    missed = {"share": 0.4, "error": 9.0, "found": False}
    assert discs.slope([*found, missed]) == pytest.approx(-1)
    assert discs.slope(found[:1]) is None
    assert discs.slope([missed]) is None


def test_discs_are_found_where_the_model_can_find_them(models, monkeypatch, tmp_path):
    monkeypatch.setattr(discs, "SIDES", (96,))
    monkeypatch.setattr(discs, "SHARES", (0.6, 0.3))
    found = discs.measure(settings.Given(str(models / "plain"), tmp_path, tmp_path, 1))
    assert len(found) == 2 * len(discs.PLACES) * len(discs.TONES)
    by_tone = {tone: {e["found"] for e in found if e["tone"] == tone} for tone in discs.TONES}
    assert by_tone == {"dark": {True}, "faint": {True}, "bright": {False}}
    [table] = discs.tables(found)
    shown = {row[0]: [tables.text(cell) for cell in row[1:]] for row in table.rows}
    assert list(shown)[:2] == ["30 %", "60 %"]
    assert shown["all, bright"][:3] == ["6", "0", "–"]
    assert shown["all, 96 px"][:2] == ["18", "12"]


def test_drawn_images_are_spread_over_all_kinds():
    pairs = list(empties.round_robin(other_drawings.EMPTY, 20))
    assert len(set(pairs)) == 20
    counts = [sum(kind == k for k, _ in pairs) for kind in other_drawings.EMPTY]
    assert (min(counts), max(counts)) == (2, 3)
    assert empties.spread(range(54), 50)[:3] == [0, 1, 2]
    assert len(set(empties.spread(range(54), 50))) == 50
    assert empties.spread(range(18), 2) == [0, 9]


def test_drawn_images_with_and_without_a_body_come_in_equal_numbers():
    drawn = list(empties.drawn(3))
    assert [group for group, *_ in drawn] == [
        name
        for kind in ("empty", "one body")
        for name in (f"drawn, {kind}", f"other drawings, {kind}")
        for _ in range(3)
    ]
    assert [body for _, body, _, _ in drawn] == [False] * 6 + [True] * 6


def test_an_image_without_a_body_is_counted_by_masks_and_by_verdicts(models, collection, tmp_path):
    given = settings.Given(str(models / "plain"), collection, tmp_path, 25)
    found = empties.measure(given)
    assert found["rules"] == pretrained.EARLIER  # This model has none of its own.
    real = [row for row in found["images"] if row["group"] == "no-body"]
    assert len(real) == 1 and not real[0]["body"]
    by_group, by_kind = empties.tables(found)
    assert [row[0] for row in by_group.rows] == [
        *("drawn, empty", "other drawings, empty"),
        *("drawn, one body", "other drawings, one body", "no-body"),
    ]
    assert sum(row[2].value for row in by_kind.rows) == len(found["images"])


def test_an_image_of_one_gray_is_unreadable_and_not_a_crash(models):
    looked = empties.look(
        model_file.load(models / "plain"),
        rules.load(models / "plain")[0],
        np.full((64, 64), 255, np.uint8),
    )
    assert looked == {"found": 0, "confidence": 0.0, "verdict": "unreadable", "measured": False}


def test_the_table_of_empties_shows_the_worst_confidence_of_each_side():
    def row(body, confidence, found, measured):
        group = "bodies" if body else "empties"
        return {"group": group, "body": body, "kind": "k", "confidence": confidence} | {
            "found": found,
            "measured": measured,
            "verdict": "ok",
        }

    images = [row(False, 0.0, 0, False), row(False, 0.7, 2, True)]
    images += [row(True, 0.99, 1, True), row(True, 0.4, 1, False)]
    by_group, _ = empties.tables({"rules": "x", "images": images})
    shown = {line[0]: [cell.value for cell in line[1:]] for line in by_group.rows}
    assert shown == {"empties": [2, 1, 1, 0.7], "bodies": [2, 2, 1, 0.4]}


def test_the_process_whose_cost_is_measured_finds_the_bodies(models, tmp_path):
    image = np.full((96, 96), 200, np.uint8)
    image[20:50, 20:50] = 60
    np.save(tmp_path / "one.npy", image)
    np.save(tmp_path / "many.npy", np.tile(image, (2, 2)))
    found = cost.work(str(models / "plain"), str(tmp_path), calls=(2, 3))
    assert (len(found["one_s"]), len(found["many_s"])) == (2, 3)
    assert found["found_bodies"] == 4
    assert found["weights_bytes"] == sum(
        path.stat().st_size for path in (models / "plain").glob("*.npz")
    )
    assert found["peak_bytes"] >= found["one_peak_bytes"] > 5e7
    [table] = cost.tables(found | {"true_bodies": 4, "load_average": 0.5})
    assert "4 bodies (4 found)" in table.rows[1][0]


def test_the_frame_of_many_bodies_has_about_eighty():
    one, many, bodies = cost.frames()
    assert one.shape == (1080, 1080) and many.shape == (1024, 1024)
    assert 60 <= bodies <= 100


def test_the_worst_drawn_images_are_shown_one_line_per_kind(models, tmp_path, monkeypatch):
    monkeypatch.setattr(worst, "COUNTS", dict.fromkeys(worst.COUNTS, 2))
    given = settings.Given(str(models / "plain"), tmp_path, tmp_path, 1)
    found = worst.measure(given)
    assert {each["kind"]: (each["images"], each["score"]) for each in found} == {
        "easy": (2, "F"),
        "hard": (2, "F"),
        "varied": (2, "F"),
        "scenes": (2, "F1@0.5"),
    }
    with Image.open(tmp_path / "worst.png") as sheet:
        assert sheet.height / sheet.width == pytest.approx(4 * 2.55 / (5 * 2.1), rel=0.1)


def test_goals_are_judged_by_the_numbers_and_only_those_of_parts_that_are_there():
    lab = {"set": "lab", "f": 0.965, "best_threshold": "li", "thresholds": {"li": 0.97}}
    frames = {"set": "ipsc-frames", "f1_50": 0.95, "f1_80": 0.79, "largest_f": 0.93}
    images = [{"group": "drawn, empty", "body": False, "found": n < 2} for n in range(50)]
    images += [{"group": "drawn, one body", "body": True, "found": n > 0} for n in range(50)]
    images += [{"group": "no-body", "body": False, "found": 1}]
    found_discs = [
        {"share": share, "error": error, "found": found}
        for share, error, found in ((0.1, 0.02, True), (0.2, -0.021, True), (0.4, 0.0, False))
    ]
    spent = {"one_s": [0.11, 0.12, 9.0], "many_s": [1.6], "peak_bytes": 5e8}
    parts = {"one-body": [lab], "instances": [frames], "empties": {"images": images}}
    parts |= {"discs": found_discs, "cost": spent}
    judged = goals.judge(parts)
    assert [met for met, _ in judged] == [
        *(True, False),  # 96 reached, the threshold not
        *(True, False, True),
        *(False, True, False),  # 2 of 50, 1 of 50, and the only real one
        *(False, False, False),  # one missed, one too narrow, 4.1 % per doubling
        *(True, False, True),
    ]
    sentences = [sentence for _, sentence in judged]
    assert "ipsc-frames, F1@0.8: 79.0 (goal 80.0)" in sentences
    assert "drawn, empty: 2 of 50 with a mask (goal 1)" in sentences
    assert "discs: -4.10 % per doubling of the diameter (goal 0.25)" in sentences
    assert goals.table(judged).title == "6 of 14 goals are met"
    assert goals.judge({"worst": []}) == []
