"""Scores of bodies (`spheroid score --instances`): numbers by hand, tables, pictures."""

import numpy as np
import pytest
from helpers import disk, thresholding
from scored import SHAPE, add, block, by_image, rows_of, run, save, save_labels

import spheroid_jax as sj
from spheroid_jax import images
from spheroid_jax.commands import score as command
from spheroid_jax.data import folder
from spheroid_jax.evaluation import matching, statistics
from spheroid_jax.inference import conventional, model_file

# Each test has a folder of its own, in which the command runs.
pytestmark = pytest.mark.usefixtures("here")

# Two bodies that touch, and a third.
PAIR = 4 * block((10, 20), (10, 20)) + 9 * block((10, 20), (20, 30))
BODIES = PAIR + 2 * block((10, 20), (50, 60))
NOTHING = np.zeros(SHAPE, bool)


def run_instances(*arguments):
    return run(*arguments, "--instances", file="instances.csv")


def scores_of(row):
    return tuple(float(row[name]) for name in matching.InstanceScores._fields)


@pytest.fixture
def root(here):
    """A dataset with touching bodies, with a mask of two values, and without a body."""
    for stem, truth in (("a", BODIES > 0), ("b", block((0, 9), (0, 9))), ("c", NOTHING)):
        add(here / "root" / "many", stem, truth)
    save_labels(here / "root" / "many" / "masks" / "a.png", BODIES)
    return here / "root"


@pytest.fixture
def tool(here, root):
    """A tool with 9 of 10, 6 of 10 and 4 of 10 of three bodies; it is wrong about the others."""
    found = 1 * block((10, 19), (10, 20)) + 2 * block((10, 16), (20, 30))
    save_labels(here / "tool" / "a.png", found + 3 * block((10, 20), (50, 54)))
    save(here / "tool" / "b.png", NOTHING)
    save(here / "tool" / "c.png", block((0, 5), (0, 5)))
    return here / "tool"


def test_scores_are_those_counted_by_hand(root, tool):
    rows = by_image(run_instances(root, tool), "tool")
    expected = (2 * 2 / 6, 2 * 1 / 6, (0.9 + 0.6) / 2, 3, 3)
    assert scores_of(rows["a"]) == pytest.approx(expected, abs=1e-6)
    assert (rows["a"]["height"], rows["a"]["width"], rows["a"]["group"]) == ("40", "80", "a")
    assert scores_of(rows["b"]) == pytest.approx((0, 0, np.nan, 1, 0), nan_ok=True)
    assert scores_of(rows["c"]) == pytest.approx((0, 0, np.nan, 0, 1), nan_ok=True)


def test_bodies_that_touch_are_one_in_a_mask_of_two_values(root, tool):
    save(tool / "a.png", BODIES > 0)
    save(tool / "c.png", NOTHING)
    rows = by_image(run_instances(root, tool), "tool")
    # Half of the pair is one body of the truth, which is no match.
    assert scores_of(rows["a"]) == (0.4, 0.4, 1, 3, 2)
    assert scores_of(rows["c"]) == pytest.approx((1, 1, np.nan, 0, 0), nan_ok=True)


def test_missing_masks_have_no_bodies(root, tool, here, capsys):
    for stem in "ac":
        (tool / f"{stem}.png").unlink()
    rows = by_image(run_instances(root, tool, "--missing=zero"), "tool")
    assert scores_of(rows["a"]) == pytest.approx((0, 0, np.nan, 3, 0), nan_ok=True)
    assert scores_of(rows["c"])[0] == 1
    assert "missing, scored as empty: tool 2" in capsys.readouterr().out
    assert command.main([str(root), str(tool), "--instances"]) == 2
    assert "tool: 2 of 3 masks missing: many/a, many/c" in capsys.readouterr().err


def test_the_table_has_means_over_images_and_sums_of_bodies(root, tool, here, capsys):
    run_instances(root, tool)
    (row,) = rows_of("scores/table.csv")
    mean, low, high = statistics.interval(np.array([[2 / 3, 0, 0]]), "abc")
    expected = {
        "F1@0.5": 100 * mean,
        "from": 100 * low,
        "to": 100 * high,
        "F1@0.8": 100 / 9,
        "matched IoU": 75,  # Only one image has a match.
        "true bodies": 4,
        "found bodies": 4,
    }
    assert list(row) == ["dataset", "source", "images", "groups", *expected]
    for heading, value in expected.items():
        assert float(row[heading]) == pytest.approx(value, abs=1e-4), heading
    title = capsys.readouterr().out.splitlines()[0]
    assert "above an IoU of 0.5 and of 0.8" in title and "95 % t interval over groups" in title
    assert {path.name for path in (here / "scores").iterdir()} == {
        *("instances.csv", "table.csv", "table.md", "table.tex", "worst"),
    }


def test_numbers_of_bodies_are_not_marked_as_best(root, tool, here):
    save_labels(here / "other" / "a.png", BODIES)
    run_instances(root, tool, "other", "--missing=zero")
    lines = (here / "scores" / "table.md").read_text().splitlines()
    best = next(line for line in lines if "| other |" in line)
    assert best.count("**") == 2 * 3 and best.endswith("| 4 | 3 |")


def test_the_worst_images_are_drawn_with_bodies_apart(root, tool, here):
    def blue():
        sheet = images.read_image(here / "scores" / "worst" / "tool.png")[..., :3].astype(int)
        return np.count_nonzero(sheet[..., 2] - sheet[..., 0] > 100)

    save(tool / "a.png", block((10, 20), (10, 30)))
    run_instances(root, tool)
    as_one = blue()
    save_labels(tool / "a.png", PAIR)
    run_instances(root, tool)
    assert blue() > as_one + 20


@pytest.mark.parametrize("option", ["--labels", "--all-objects"])
def test_options_of_pixels_are_refused_in_one_line(root, tool, here, capsys, option):
    given = [str(root), str(tool), "--instances", option, "--output=scores"]
    assert command.main(given) == 2
    error = capsys.readouterr().err
    assert error.startswith("spheroid score: --instances") and error.count("\n") == 1
    assert option in error and not (here / "scores").exists()


def test_a_mask_of_another_size_is_one_line(root, tool, capsys):
    save_labels(tool / "a.png", BODIES[:, :70])
    assert command.main([str(root), str(tool), "--instances"]) == 2
    assert "tool: mask of many/a has 70 x 40 px, and the truth 80 x 40" in capsys.readouterr().err


def test_models_and_thresholds_find_bodies(here):
    first, second = disk(120, (40, 40), 22), disk(120, (90, 90), 11)
    for stem in "ab":
        add(here / "root" / "two", stem, first | second)
    model = thresholding(size=120)
    model_file.save(model, here / "model", provenance={})
    rows = run_instances("root", "model", "conventional")
    sources = {row["source"] for row in rows}
    assert sources == {"model", *conventional.THRESHOLDS, "best of 5 thresholds"}
    (pair, _), _ = folder.find_pairs(here / "root", ["two"])
    truth = folder.read_bodies(pair.mask)
    found = {
        "model": sj.segment_objects(model, images.read_image(pair.image)).labels,
        "li": conventional.label_bodies(images.read_gray(pair.image), "li"),
    }
    for source, labels in found.items():
        expected = matching.instance_scores(labels, truth)
        assert expected.f1_80 == 1 and expected.found == 2
        assert scores_of(by_image(rows, source)["a"]) == pytest.approx(expected, abs=1e-6)


def test_an_image_that_a_tool_cannot_use_has_no_bodies(root, here, capsys):
    save_labels(root / "many" / "images" / "b.png", np.full(SHAPE, 7))
    save_labels(root / "many" / "images" / "c.png", 99 * block((0, 9), (0, 9)))
    assert command.main([str(root), "conventional", "--instances"]) == 2
    assert "conventional: no mask of many/b (" in capsys.readouterr().err
    rows = run_instances(root, "conventional", "--missing=zero")
    assert {row["found"] for row in rows if row["image"] == "b"} == {"0"}
