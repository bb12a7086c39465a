"""Tests of score records on disk and as tables."""

import csv
import dataclasses
import math

import numpy as np
import pytest

from spheroid_jax.errors import UserError
from spheroid_jax.evaluation import matching, metrics, records


def scored(dataset, image, f_score=0.5, *, precision=0.25, recall=0.75, **where):
    scores = metrics.Agreement(precision, recall, f_score, *[0.25] * 5)
    return records.Scored(dataset=dataset, image=image, scores=scores, **where)


# Rows of a fold, of a comparison, and of another tool.
ROWS = [
    scored("easy", "a", 2 / 3, precision=0.5, recall=1.0),
    scored("easy", "b", 2 / 3, source="adver", fold=0, group="A01", height=480, width=480),
    scored('hard, "new"', "c", 0.0, source="tool", group="B", height=10, width=20),
]


def test_records_survive_the_disk(tmp_path):
    path = tmp_path / "scores.csv"
    records.write(path, ROWS)
    back = records.read(path)
    for row, expected in zip(back, ROWS, strict=True):
        np.testing.assert_allclose(row.scores, expected.scores, atol=1e-6)
        assert dataclasses.replace(row, scores=expected.scores) == expected


def test_a_score_that_is_not_defined_survives_the_disk(tmp_path):
    row = ROWS[0]
    row = dataclasses.replace(row, scores=row.scores._replace(area_error=math.nan))
    records.write(tmp_path / "scores.csv", [row])
    assert math.isnan(records.read(tmp_path / "scores.csv")[0].scores.area_error)


def test_every_file_has_the_same_columns_and_what_does_not_apply_is_empty(tmp_path):
    records.write(tmp_path / "scores.csv", ROWS[:1])
    with open(tmp_path / "scores.csv", newline="", encoding="utf-8") as file:
        heading, row = csv.reader(file)
    assert heading == [
        *("source", "fold", "dataset", "image", "group", "height", "width"),
        *metrics.Agreement._fields,
    ]
    assert row[:7] == ["", "", "easy", "a", "", "", ""]
    assert row[9] == "0.666667"


def test_numbers_of_bodies_are_whole(tmp_path):
    scores = matching.InstanceScores(0.5, 1 / 3, math.nan, np.float64(3), 12)
    row = records.Scored(dataset="d", image="a", scores=scores)
    records.write(tmp_path / "instances.csv", [row], matching.InstanceScores)
    heading, line = (tmp_path / "instances.csv").read_text().splitlines()
    assert heading.endswith(",width,f1_50,f1_80,matched_iou,true,found")
    assert line == ",,d,a,,,,0.500000,0.333333,nan,3,12"


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        (["dataset", "image"], ["d", "a"], {}),
        (
            ["model", "fold", "dataset", "image"],
            ["base", "3", "d", "a"],
            {"source": "base", "fold": 3},
        ),
        (["model", "fold", "dataset", "image"], ["Otsu", "", "d", "a"], {"source": "Otsu"}),
        (
            ["source", "dataset", "image", "group", "height", "width"],
            ["tool", "d", "a", "w", "30", "40"],
            {"source": "tool", "group": "w", "height": 30, "width": 40},
        ),
    ],
)
def test_files_of_older_versions_are_read(tmp_path, columns, values, expected):
    lines = [[*columns, *metrics.Agreement._fields], [*values, *["0.5"] * 8]]
    path = tmp_path / "scores.csv"
    path.write_text("".join(",".join(line) + "\n" for line in lines))
    scores = metrics.Agreement(*[0.5] * 8)
    assert records.read(path) == [records.Scored(dataset="d", image="a", scores=scores, **expected)]


@pytest.mark.parametrize(
    "text",
    [
        "dataset,image\na,b\n",
        "x,y\n1,2\n",
        "a",
        f"dataset,image,{','.join(metrics.Agreement._fields)}\n" + "d,a" + 9 * ",1" + "\n",
        f"dataset,image,{','.join(metrics.Agreement._fields)}\n" + "d,a" + 8 * ",x" + "\n",
    ],
)
def test_what_is_no_table_of_scores_is_refused(tmp_path, text):
    path = tmp_path / "scores.csv"
    path.write_text(text + "\n1,2,3\n")
    with pytest.raises(records.ScoresError, match="mode=evaluate") as refused:
        records.read(path)
    assert isinstance(refused.value, UserError) and isinstance(refused.value, ValueError)
    assert str(path) in str(refused.value)


def test_the_table_has_one_row_per_dataset_in_percent():
    rows = [
        scored("hard", "c", 0.0, precision=0.0, recall=0.0),
        scored("easy", "a", 2 / 3, precision=0.5, recall=1.0),
        scored("easy", "b", 2 / 3, precision=1.0, recall=0.5),
    ]
    assert records.table(rows).splitlines() == [
        "dataset  images       F       P       R",
        "-------  -------  ------  ------  ------",
        "easy          2   66.67   75.00   75.00",
        "hard          1    0.00    0.00    0.00",
    ]


def test_before_and_after_has_new_images_first_and_what_changed():
    before = [scored("easy", "a", 0.9), scored("mine", "a", 0.5), scored("mine", "b", 0.7)]
    after = [scored("easy", "a", 0.895), scored("mine", "a", 0.8), scored("mine", "b", 0.9)]
    assert records.before_after(before, after, ["easy"]).splitlines() == [
        "dataset          images   F before   F after   change",
        "---------------  -------  ---------  --------  -------",
        "mine                  2      60.00     85.00   +25.00",
        "easy, rehearsal       1      90.00     89.50    -0.50",
    ]


def test_a_change_too_small_to_show_has_no_minus():
    before, after = [scored("mine", "a", 0.5)], [scored("mine", "a", 0.5 - 1e-6)]
    assert records.before_after(before, after, []).splitlines()[-1].endswith("+0.00")
