"""Scores of masks against a data root: numbers, tables, pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy.spatial import distance
from scored import SHIFTED, TRUTH, add, block, by_image, numbers, rows_of, run, save

from spheroid_jax import images
from spheroid_jax.evaluation import metrics
from spheroid_jax.evaluation.score import scoring

# Each test has a folder of its own, in which the command runs.
pytestmark = pytest.mark.usefixtures("here")


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


def test_the_table_has_the_means_of_each_dataset(root, tool, capsys):
    rows = run(root, tool)
    easy, hard = reversed(rows_of("scores/table.csv"))
    assert (easy["dataset"], hard["dataset"]) == ("easy", "deep/hard")
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


def test_the_best_of_each_dataset_is_marked(root, tool, here):
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


def test_a_root_that_is_one_dataset_has_its_own_name(root, tool):
    rows = run(root / "easy", tool)
    assert {row["dataset"] for row in rows} == {"easy"}
    (row, *_) = run(root / "deep" / "hard" / ".." / "hard", tool / "deep")
    assert row["dataset"] == "hard"


def test_groups_are_what_the_interval_draws(root, tool, here):
    (root / "easy" / "groups.csv").write_text("stem,group\na,w\nb,w\n")
    rows = run(root, tool, "conventional")
    easy = next(
        row
        for row in rows_of("scores/table.csv")
        if (row["dataset"], row["source"]) == ("easy", "tool")
    )
    assert float(easy["groups"]) == 1
    assert easy["from"] == easy["to"] == "NaN"
    assert "no interval, because there is one group" in (here / "scores/table.md").read_text()
    assert by_image(rows, "tool")["a"]["group"] == "w"
    # One group a dataset: there is nothing to choose a threshold by.
    assert not any(row["source"].startswith("best") for row in rows)
    assert not (here / "scores/worst/best of 5 thresholds.png").exists()


def test_the_worst_images_are_drawn_with_both_contours(root, tool, here):
    run(root, tool)
    sheet = images.read_image(here / "scores" / "worst" / "tool.png")
    red, _, blue = np.moveaxis(sheet[..., :3].astype(int), -1, 0)
    assert np.count_nonzero(red - blue > 150) > 100  # Truth, orange.
    assert np.count_nonzero(blue - red > 100) > 100  # Prediction.
    # Two datasets, a line each.
    assert sheet.shape[0] > 400 and sheet.shape[1] > 1000
    assert {path.name for path in (here / "scores").iterdir()} == {
        "scores.csv",
        "table.csv",
        "table.md",
        "table.tex",
        "worst",
    }


@given(
    hnp.arrays(
        st.sampled_from([bool, np.int32, np.int64]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=20),
    ),
    st.booleans(),
)
def test_a_packed_mask_is_the_mask(mask, transpose):
    mask = mask.T if transpose else mask
    unpacked = scoring.Packed.of(mask).mask()
    np.testing.assert_array_equal(unpacked, mask)
    assert unpacked.dtype == mask.dtype
