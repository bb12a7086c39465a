"""Masks of any tool scored against a data root: numbers, layouts, refusals."""

import csv
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT, a_run, disk, thresholding, write_root
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy.spatial import distance

import spheroid_jax as sj
from spheroid_jax import images
from spheroid_jax.commands import score as command
from spheroid_jax.data import folder
from spheroid_jax.evaluation import metrics
from spheroid_jax.evaluation.score import scoring
from spheroid_jax.inference import conventional, model_file, pretrained
from spheroid_jax.runtime import compilation

SHAPE = (40, 80)


def block(rows, columns, shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask


# Half of either lies in the other.
TRUTH = block((10, 20), (10, 30))
SHIFTED = block((10, 20), (20, 40))


def save(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def add(dataset, stem, truth, image=None):
    """Adds an image to a data set's folder."""
    gray = np.where(truth, 60, 190) if image is None else image
    for kind in ("images", "masks"):
        (dataset / kind).mkdir(parents=True, exist_ok=True)
    Image.fromarray(gray.astype(np.uint8)).save(dataset / "images" / f"{stem}.png")
    save(dataset / "masks" / f"{stem}.png", truth)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The tests' folder; no programs are kept, no models are packaged."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(compilation, "keep_programs", lambda _: None)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    return tmp_path


@pytest.fixture
def root(here):
    """Two images in one data set, one in a data set further down."""
    add(here / "root" / "easy", "a", TRUTH)
    add(here / "root" / "easy", "b", TRUTH)
    add(here / "root" / "deep" / "hard", "c", disk(50, (25, 25), 9))
    return here / "root"


@pytest.fixture
def tool(here, root):
    """A tool that is right, half right, and sees nothing."""
    save(here / "tool" / "easy" / "a.png", TRUTH)
    save(here / "tool" / "easy" / "b.png", SHIFTED)
    save(here / "tool" / "deep" / "hard" / "c.png", np.zeros((50, 50), bool))
    return here / "tool"


def run(*arguments):
    """Runs the command with --output; the rows of scores.csv."""
    given = [*map(str, arguments), "--output=scores"]
    assert command.main(given) == 0
    return rows_of("scores/scores.csv")


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_image(rows, source):
    return {r["image"]: r for r in rows if r["source"] == source}


def numbers(row):
    return {name: float(row[name]) for name in metrics.Agreement._fields}


def contour_distance(first, second):
    """The 95 % Hausdorff distance, by all pairs of contour pixels."""

    def contour(mask):
        padded = np.pad(mask, 1)
        inner = mask.copy()
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            inner &= np.roll(padded, step, axis)[1:-1, 1:-1]
        return np.argwhere(mask & ~inner)

    pairs = distance.cdist(contour(first), contour(second))
    return max(np.percentile(pairs.min(axis=n), 95) for n in (0, 1))


def test_scores_are_those_counted_by_hand(root, tool):
    rows = by_image(run(root, tool), "tool")
    assert numbers(rows["a"]) == dict(
        zip(metrics.Agreement._fields, (1, 1, 1, 1, 1, 0, 0, 0), strict=True)
    )
    half = numbers(rows["b"])
    assert half["precision"] == half["recall"] == half["f_score"] == 0.5
    assert half["iou"] == pytest.approx(1 / 3, abs=1e-6)
    assert half["area_error"] == half["diameter_error"] == 0
    # 80 px are the 480 of the paper's frame.
    assert half["hausdorff95_px"] == pytest.approx(6 * contour_distance(SHIFTED, TRUTH), abs=1e-5)
    none = numbers(rows["c"])
    assert none["precision"] == none["recall"] == none["f_score"] == 0
    assert none["iou"] == none["boundary_f_score"] == 0
    assert none["hausdorff95_px"] == pytest.approx(480 * 2**0.5, abs=1e-5)
    assert none["area_error"] == -1
    assert (rows["b"]["height"], rows["b"]["width"]) == ("40", "80")


def test_of_a_label_image_the_largest_object_counts(root, tool):
    # The second object touches the truth's: as a mask, both would be one.
    labels = np.where(TRUTH, 3, 0) + np.where(block((20, 30), (10, 29)), 7, 0)
    path = tool / "easy" / "a.png"
    Image.fromarray(labels.astype(np.uint16)).save(path)
    arguments = (root, tool, "--labels")
    rows = by_image(run(*arguments), "tool")
    assert numbers(rows["a"])["f_score"] == 1
    assert numbers(rows["b"])["f_score"] == 0.5  # a mask is one object
    assert numbers(rows["c"])["f_score"] == 0  # none at all
    rows = by_image(run(*arguments, "--all-objects"), "tool")
    assert numbers(rows["a"])["precision"] == pytest.approx(
        TRUTH.sum() / (labels > 0).sum(), abs=1e-6
    )


def test_the_truth_may_be_label_images(root, tool):
    labels = np.where(SHIFTED, 1, 0) + np.where(block((0, 5), (0, 5)), 2, 0)
    for place in (root / "easy" / "masks", tool / "easy"):
        Image.fromarray(labels.astype(np.uint8)).save(place / "a.png")
    rows = by_image(run(root, tool, "--labels"), "tool")
    assert numbers(rows["a"])["f_score"] == 1


def test_the_table_has_the_means_of_each_data_set(root, tool, capsys):
    rows = run(root, tool)
    easy, hard = reversed(rows_of("scores/table.csv"))
    assert (easy["data set"], hard["data set"]) == ("easy", "deep/hard")
    assert (easy["source"], easy["images"], easy["groups"]) == ("tool", "2.0", "2.0")
    assert float(easy["F"]) == 75 and float(hard["F"]) == 0
    # The t interval of two images reaches beyond what F can be; one image has no interval.
    assert (float(easy["from"]), float(easy["to"])) == (0, 100)
    assert hard["from"] == hard["to"] == "NaN"
    assert float(hard["area error"]) == 100
    own = [numbers(row) for row in rows if row["dataset"] == "easy"]
    for heading, name, scale in (
        ("P", "precision", 100),
        ("R", "recall", 100),
        ("IoU", "iou", 100),
        ("boundary F", "boundary_f_score", 100),
        ("HD95, px", "hausdorff95_px", 1),
    ):
        mean = scale * np.mean([row[name] for row in own])
        assert float(easy[heading]) == pytest.approx(mean, abs=1e-4)
    out, err = capsys.readouterr()
    assert "easy" in out and "75.00" in out and "*" not in out
    assert err == "tool: 3 images\n"


def test_the_best_of_each_data_set_is_marked(root, tool, here):
    save(here / "other" / "a.tif", TRUTH)
    save(here / "other" / "b.bmp", TRUTH)
    save(here / "other" / "c.gif", block((0, 25), (0, 25), (50, 50)))
    run(root, tool, "other")
    lines = (here / "scores" / "table.md").read_text().splitlines()
    bold = {tuple(cell.strip() for cell in line.split("|")[1:3]): line for line in lines[4:]}
    assert "| **100.00** |" in bold["easy", "other"]
    assert "| **0.00** | **0.00** |" in bold["easy", "other"]  # HD95, area.
    # Only the area error is 0 there also.
    assert bold["easy", "tool"].count("**") == 2
    assert bold["deep/hard", "other"].count("**") == 2 * 6
    assert "100.00**" in bold["deep/hard", "tool"]  # Area error, the smaller.


def test_only_the_largest_body_counts_unless_all_objects_are_asked_for(here):
    truth = TRUTH | block((2, 7), (60, 70))  # 200 px and 50.
    add(here / "one", "a", truth)
    hole = block((14, 16), (14, 16))
    save(here / "largest" / "a.png", TRUTH & ~hole)
    save(here / "both" / "a.png", truth)
    sources = ["largest", "both"]
    f = [float(row["f_score"]) for row in run("one", *sources)]
    assert f == [1, 1]
    f = [float(r["f_score"]) for r in run("one", *sources, "--all-objects")]
    assert f == [pytest.approx(2 * 196 / (196 + 250), abs=1e-6), 1]
    assert "All objects" in (here / "scores" / "table.md").read_text()


def test_a_small_body_is_a_body(here):
    """The paper's 64 px of 480 x 480 are for the network's specks."""
    truth = block((10, 11), (10, 11))
    add(here / "one", "a", truth, image=np.where(TRUTH, 50, 200))
    save(here / "tool" / "a.png", truth)
    save(here / "none" / "a.png", truth & False)
    f = [float(row["f_score"]) for row in run("one", "tool", "none")]
    assert f == [1, 0]


def test_a_root_that_is_one_data_set_has_its_own_name(root, tool):
    rows = run(root / "easy", tool)
    assert {row["dataset"] for row in rows} == {"easy"}
    (row, *_) = run(root / "deep" / "hard" / ".." / "hard", tool / "deep")
    assert row["dataset"] == "hard"


def one_line(capsys, *arguments):
    assert command.main([*map(str, arguments)]) == 2
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith("spheroid score: ")
    assert "Traceback" not in error
    return error.splitlines()[-1]


def test_missing_masks_are_counted_and_refused(root, tool, here, capsys):
    for n in range(4):
        add(root / "easy", f"more_{n}", TRUTH)
    error = one_line(capsys, root, tool)
    assert "tool: 4 of 7 masks missing: easy/more_0, easy/more_1, " in error
    assert "easy/more_3" not in error and "--missing=zero" in error


def test_missing_masks_can_score_as_empty(root, tool, here, capsys):
    (tool / "easy" / "a.png").unlink()
    row = by_image(run(root, tool, "--missing=zero"), "tool")["a"]
    assert float(row["f_score"]) == float(row["recall"]) == 0
    assert "scored as empty: tool 1" in capsys.readouterr().out
    assert "tool 1" in (here / "scores" / "table.tex").read_text()


def test_a_folder_of_other_things_is_refused_even_so(root, here, capsys):
    (here / "empty").mkdir()
    error = one_line(capsys, root, "empty", "--missing=zero")
    assert "empty: no mask of any image" in error and "deep/hard/c" in error


def test_a_stem_of_two_data_sets_needs_a_folder(root, here, capsys):
    add(root / "deep" / "hard", "a", TRUTH)
    for stem in "abc":
        save(here / "loose" / f"{stem}.png", TRUTH)
    error = one_line(capsys, root, "loose", "--missing=zero")
    assert "a.png: several data sets have this stem" in error


def test_two_masks_of_an_image_are_refused(root, tool, capsys):
    save(tool / "easy" / "a.tif", TRUTH)
    assert "same stem as a.png" in one_line(capsys, root, tool)


def test_a_mask_of_another_size_is_one_line(root, tool, capsys):
    save(tool / "easy" / "b.png", TRUTH[:, :70])
    error = one_line(capsys, root, tool)
    assert "tool: mask of easy/b has 70 x 40 px, and the truth 80 x 40" in error


def test_what_is_no_mask_is_one_line(root, tool, capsys):
    gray = Image.fromarray(np.arange(3200, dtype=np.uint16).reshape(SHAPE))
    gray.save(tool / "easy" / "b.png")
    assert "b.png: not a mask of two values" in one_line(capsys, root, tool)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "tool"], "nowhere: no such folder"),
        (["tool", "tool"], "tool: no data set there"),
        (["root", "nowhere"], "nowhere: no model here"),
        (["root", "tool", "tool"], "2 rows are named 'tool'; NAME=SOURCE"),
        (["root", "otsu=tool", "conventional"], "rows are named 'otsu'"),
        (["root", "=tool"], "expected NAME=SOURCE"),
        (["root", "a/b=tool"], "expected NAME=SOURCE"),
    ],
)
def test_what_cannot_be_scored_is_one_line(tool, capsys, arguments, words):
    assert words in one_line(capsys, *arguments)


def test_an_image_without_truth_is_refused(root, tool, capsys):
    (root / "easy" / "masks" / "b.png").unlink()
    assert command.main([str(root), str(tool)]) == 2
    assert "b.png: no mask" in capsys.readouterr().err


def test_rows_are_named(root, tool, here):
    shutil.copytree(tool, here / "a=b")
    sources = [f"first={tool}", tool, "a=b", "second=a=b", "t=conventional"]
    rows = run(root, *sources)
    assert {row["source"] for row in rows} >= {"first", "tool", "a=b", "second", "t otsu", "t li"}


def test_a_models_masks_are_those_of_segment(here):
    root = write_root(here / "root", {"d1": 3, "d2": 2}, size=60)
    model = thresholding()
    a_run(here / "run", [model] * 5)
    model_file.save(model, pretrained.folder("small"), provenance={})
    rows = run(root, "run/fold_2", "ensemble=run", "small")
    assert {r["source"] for r in rows} == {"fold_2", "ensemble", "small"}
    pairs, _ = folder.find_pairs(root, ["d1", "d2"])
    for source in ("fold_2", "ensemble", "small"):
        own = by_image(rows, source)
        for pair in pairs:
            found = sj.segment(model, images.read_image(pair.image)).mask
            expected = metrics.agreement(found, images.read_mask(pair.mask))
            expected = expected._replace(
                hausdorff95_px=8 * expected.hausdorff95_px  # Of 60 px.
            )
            assert tuple(numbers(own[pair.stem]).values()) == pytest.approx(expected, abs=1e-6)
            assert expected.f_score > 0.9


@pytest.mark.parametrize("source", ["model", "conventional"])
def test_an_image_that_a_tool_cannot_use_is_a_missing_mask(root, here, capsys, source):
    model_file.save(thresholding(), here / "model", provenance={})
    add(root / "easy", "flat", TRUTH, image=np.full(SHAPE, 7))
    error = one_line(capsys, root, source)
    assert f"{source}: no mask of easy/flat (" in error
    assert "same value" in error and "--missing=zero" in error
    rows = run(root, source, "--missing=zero")
    assert {float(row["f_score"]) for row in rows if row["image"] == "flat"} == {0}


def test_each_threshold_is_a_row_computed_once_an_image(here, monkeypatch):
    root = write_root(here / "root", {"d1": 3, "d2": 2}, size=60)
    calls = []
    segment = conventional.segment

    def counted(gray, method):
        calls.append(method)
        return segment(gray, method)

    monkeypatch.setattr(conventional, "segment", counted)
    rows = run(root, "conventional")
    assert sorted(calls) == sorted([*conventional.THRESHOLDS] * 5)
    assert [row["source"] for row in rows[::5]] == [
        *conventional.THRESHOLDS,
        "best of 5 thresholds",
    ]
    pairs, _ = folder.find_pairs(root, ["d1", "d2"])
    own = by_image(rows, "li")
    for pair in pairs:
        mask = segment(images.read_gray(pair.image), "li")
        expected = metrics.agreement(mask, images.read_mask(pair.mask))
        f_score = float(own[pair.stem]["f_score"])
        assert f_score == pytest.approx(expected.f_score, abs=1e-6)


def row_of(label, f_scores):
    scores = np.zeros((len(f_scores), len(metrics.Agreement._fields)))
    scores[:, metrics.Agreement._fields.index("f_score")] = f_scores
    packed = [scoring.Packed((1, 1), label.encode())] * len(f_scores)
    return scoring.Row(label, scores, packed, 0)


def test_the_best_threshold_is_chosen_by_other_groups():
    groups = [("d", "w1"), ("d", "w1"), ("d", "w2"), ("d", "w3"), ("e", "w1")]
    pairs = [
        folder.Pair(dataset, str(n), None, None, group) for n, (dataset, group) in enumerate(groups)
    ]
    rows = [row_of("x", [0.9, 0.9, 0.2, 0.2, 1.0]), row_of("y", [0.1, 0.1, 0.3, 0.6, 0.0])]
    best = scoring._chosen("best", rows, pairs)
    # Well 1 is scored by y, which wells 2 and 3 prefer; these by x, because
    # of well 1. The other data set has one group only.
    assert [mask and mask.bits.decode() for mask in best.masks] == ["y", "y", "x", "x", None]
    f_scores = metrics.Agreement(*best.scores.T).f_score
    np.testing.assert_array_equal(f_scores, [0.1, 0.1, 0.2, 0.2, np.nan])


def test_groups_are_what_the_interval_draws(root, tool, here):
    (root / "easy" / "groups.csv").write_text("stem,group\na,w\nb,w\n")
    rows = run(root, tool, "conventional")
    easy = next(
        row
        for row in rows_of("scores/table.csv")
        if (row["data set"], row["source"]) == ("easy", "tool")
    )
    assert float(easy["groups"]) == 1
    assert easy["from"] == easy["to"] == "NaN"
    assert "no interval, because there is one group" in (here / "scores/table.md").read_text()
    assert by_image(rows, "tool")["a"]["group"] == "w"
    # One group a data set: there is nothing to choose a threshold by.
    assert not any(row["source"].startswith("best") for row in rows)
    assert not (here / "scores/worst/best of 5 thresholds.png").exists()


def test_the_worst_images_are_drawn_with_both_contours(root, tool, here):
    run(root, tool)
    sheet = images.read_image(here / "scores" / "worst" / "tool.png")
    red, _, blue = np.moveaxis(sheet[..., :3].astype(int), -1, 0)
    assert np.count_nonzero(red - blue > 150) > 100  # Truth, orange.
    assert np.count_nonzero(blue - red > 100) > 100  # Prediction.
    # Two data sets, a line each.
    assert sheet.shape[0] > 400 and sheet.shape[1] > 1000
    assert {path.name for path in (here / "scores").iterdir()} == {
        "scores.csv",
        "table.csv",
        "table.md",
        "table.tex",
        "worst",
    }


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)), st.booleans())
def test_a_packed_mask_is_the_mask(mask, transpose):
    mask = mask.T if transpose else mask
    np.testing.assert_array_equal(scoring.Packed.of(mask).mask(), mask)


@pytest.mark.parametrize("output", ["", "--output=scores"])
def test_only_pictures_need_more_than_inference_does(here, tool, output):
    model_file.save(thresholding(), here / "model", provenance={})
    script = """
import sys
for name in ("tensorflow", "tensorflow_datasets", "orbax", "optax",
             "matplotlib", "ml_collections", "tensorboardX", "tqdm", "chex"):
    sys.modules[name] = None
from spheroid_jax.runtime import compilation
compilation.keep_programs = lambda folder: None
from spheroid_jax.commands import score as command
sys.exit(command.main(sys.argv[1:]))
"""
    arguments = ["root", "tool", "model", *filter(None, [output])]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    if output:
        assert done.returncode == 2 and 'pip install "spheroid-jax[report]"' in done.stderr
        assert done.stderr.count("\n") == 1
    else:
        assert done.returncode == 0, done.stderr
        assert "75.00" in done.stdout
