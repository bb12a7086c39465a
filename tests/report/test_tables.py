"""Tests of tables: exact text of each form, escapes, numbers read back."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spheroid_jax.report import tables
from spheroid_jax.report.tables import Cell, Table

NAN = float("nan")
TABLE = Table(
    "Test partition (%)",
    ["Model", "maF", "maP", "maF"],
    [
        [
            "Adver",
            Cell(77.09, 6.89, best=True),
            Cell(82.16, 6.0, best=True),
            Cell(64.21, best=True, digits=1),
        ],
        ["U-net*", Cell(49.24, 19.38), Cell(NAN, NAN), Cell(NAN, digits=1)],
    ],
    [("", 1), ("dataset1", 2), ("dataset2", 1)],
)
FORMS = {
    form.__name__: form for form in (tables.terminal, tables.csv, tables.markdown, tables.latex)
}

TEXT = st.text(max_size=8)
NUMBERS = st.builds(
    Cell, st.floats(), st.none() | st.floats(), best=st.booleans(), digits=st.integers(0, 3)
)


@st.composite
def any_table(draw):
    count = draw(st.integers(1, 4))
    row = st.lists(TEXT | NUMBERS, min_size=count, max_size=count)
    return Table(
        draw(TEXT),
        draw(st.lists(TEXT, min_size=count, max_size=count)),
        draw(st.lists(row, max_size=3)),
        draw(st.sampled_from([(), [("a|b", count)], [("", 1)] * count])),
    )


def read(text):
    return list(csv.reader(io.StringIO(text, newline="")))


# One table in each form.


def test_terminal():
    assert tables.terminal(TABLE).splitlines() == [
        "Test partition (%)",
        "",
        "                   dataset1            dataset2",
        "Model       maF ± std      maP ± std       maF",
        "------  --------------  -------------  --------",
        "Adver   77.09 ±  6.89*  82.16 ± 6.00*     64.2*",
        "U-net*  49.24 ± 19.38       –                –",
        "* best",
    ]


def test_csv():
    assert tables.csv(TABLE) == (
        "Model,dataset1 maF,dataset1 maF std,dataset1 maP,dataset1 maP std,"
        "dataset2 maF\r\n"
        "Adver,77.09,6.89,82.16,6.0,64.21\r\n"
        "U-net*,49.24,19.38,NaN,NaN,NaN\r\n"
    )


def test_markdown():
    assert tables.markdown(TABLE) == (
        "Test partition (%)\n"
        "\n"
        "| Model | dataset1 maF ± std | dataset1 maP ± std | dataset2 maF |\n"
        "| :--- | ---: | ---: | ---: |\n"
        "| Adver | **77.09 ± 6.89** | **82.16 ± 6.00** | **64.2** |\n"
        "| U-net\\* | 49.24 ± 19.38 | – | – |"
    )


def test_latex():
    assert tables.latex(TABLE).splitlines() == [
        r"% Needs \usepackage{booktabs}.",
        r"\begin{table}",
        r"\centering",
        r"\caption{Test partition (\%)}",
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r" & \multicolumn{2}{c}{dataset1} & \multicolumn{1}{c}{dataset2} \\",
        r"\cmidrule(lr){2-3} \cmidrule(lr){4-4}",
        r"Model & maF $\pm$ std & maP $\pm$ std & maF \\",
        r"\midrule",
        r"Adver & \textbf{77.09 $\pm$ 6.89} & \textbf{82.16 $\pm$ 6.00} & "
        r"\textbf{64.2} \\",
        r"U-net* & 49.24 $\pm$ 19.38 & -- & -- \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_without_groups_title_and_best():
    table = Table("", ["a", "n"], [["x", Cell(1.5, digits=1)]])
    assert tables.terminal(table) == "a    n\n-  ----\nx  1.5"
    assert tables.csv(table) == "a,n\r\nx,1.5\r\n"
    assert tables.markdown(table) == "| a | n |\n| :--- | ---: |\n| x | 1.5 |"
    assert "caption" not in tables.latex(table)
    assert "multicolumn" not in tables.latex(table)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (Cell(77.09, 6.89, best=True), "77.09 ± 6.89"),
        (Cell(77.09), "77.09"),
        (Cell(77.09, NAN, digits=0), "77 ± –"),
        (Cell(NAN, 6.89), "–"),
        (Cell(1.5, signed=True), "+1.50"),
        (Cell(-1.5, 0.25, signed=True), "-1.50 ± 0.25"),
        (Cell(-0.001), "0.00"),
    ],
)
def test_text_of_a_cell(cell, shown):
    assert tables.text(cell) == shown


# What is best.


def test_the_largest_number_is_best_and_nan_is_not():
    rows = [["a", Cell(1.0)], ["b", Cell(NAN)], ["c", Cell(2.0, best=False)]]
    marked = tables.mark_best(Table("", ["", "n"], rows))
    assert [row[1].best for row in marked.rows] == [False, False, True]
    assert [row[0] for row in marked.rows] == ["a", "b", "c"]


def test_numbers_that_look_equal_are_equally_good():
    rows = [[Cell(1.004)], [Cell(1.001)], [Cell(0.99)]]
    marked = tables.mark_best(Table("", ["n"], rows))
    assert [row[0].best for row in marked.rows] == [True, True, False]


def test_negative_numbers_have_a_best():
    marked = tables.mark_best(Table("", ["n"], [[Cell(-3.0)], [Cell(-2.0)]]))
    assert [row[0].best for row in marked.rows] == [False, True]


def test_of_some_columns_the_smallest_is_the_best_and_of_some_none():
    rows = [[Cell(1.0), Cell(2.0), Cell(3.0)], [Cell(2.0), Cell(NAN), Cell(1.0)]]
    marked = tables.mark_best(
        Table("", ["F", "n", "error"], rows), smaller=["error"], unmarked=["n"]
    )
    assert [[cell.best for cell in row] for row in marked.rows] == [
        [False, False, False],
        [True, False, True],
    ]


def test_a_share_is_shown_in_percent():
    assert tables.text(tables.percent(0.5)) == "50.00"
    assert tables.text(tables.percent(0.5, 0.1)) == "50.00 ± 10.00"
    assert tables.percent(0.5, NAN).spread is None


def test_a_table_is_written_in_three_forms(tmp_path):
    tables.write(tmp_path / "t.1", TABLE)  # A dot is no suffix here.
    assert {path.name for path in tmp_path.iterdir()} == {"t.1.csv", "t.1.md", "t.1.tex"}
    assert (tmp_path / "t.1.md").read_text() == tables.markdown(TABLE) + "\n"
    written = (tmp_path / "t.1.csv").read_bytes().decode()
    assert written == tables.csv(TABLE)


# Numbers come back.


def test_csv_keeps_every_digit():
    value, spread = 100 / 3, 0.1 + 0.2
    table = Table("", ["n"], [[Cell(value, spread)], [Cell(1.0)]])
    heading, first, second = read(tables.csv(table))
    assert heading == ["n", "n std"]
    assert [float(field) for field in first] == [value, spread]
    assert second == ["1.0", ""]


@given(any_table())
def test_csv_reads_back(table):
    heading, *rows = read(tables.csv(table))
    assert all(len(row) == len(heading) for row in rows)
    numbers = [
        repr(float(cell.value)) for row in table.rows for cell in row if isinstance(cell, Cell)
    ]
    fields = [field.replace("NaN", "nan") for row in rows for field in row]
    assert not set(numbers) - set(fields)


# Escapes.


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("a\\|b", r"a\\\|b"),
        ("*new* _x_", r"\*new\* \_x\_"),
        ("<b>`", r"\<b>\`"),
        ("two\r\nlines", "two lines"),
    ],
)
def test_markdown_escapes(text, escaped):
    table = Table("", [text], [])
    assert tables.markdown(table).splitlines()[0] == f"| {escaped} |"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("50 % & $5 #1", r"50 \% \& \$5 \#1"),
        ("a_b{c}", r"a\_b\{c\}"),
        ("\\input", r"\textbackslash{}input"),
        (
            "~^<|>",
            r"\textasciitilde{}\textasciicircum{}"
            r"\textless{}\textbar{}\textgreater{}",
        ),
        ("λ × 2 – 3", r"$\lambda$ $\times$ 2 -- 3"),
        ("*", "{}*"),
        ("[2pt]", "{}[2pt]"),
        ("two\n\nlines", "two lines"),
    ],
)
def test_latex_escapes(text, escaped):
    assert rf"{escaped} \\" in tables.latex(Table("", [text], [])).splitlines()


@given(any_table())
def test_markdown_has_as_many_cells_in_each_line(table):
    lines = tables.markdown(table).splitlines()
    if table.title.strip():
        assert lines[1] == ""
        lines = lines[2:]
    assert len(lines) == 2 + len(table.rows)
    for line in lines:
        bars = re.sub(r"\\.", "", line).count("|")
        assert bars == len(table.headings) + 1


@given(any_table())
def test_latex_has_as_many_cells_in_each_row(table):
    text = re.sub(r"\\[&%]", "", tables.latex(table))
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    rows = [row for row in rows if "multicolumn" not in row]
    assert all(row.count("&") == len(table.headings) - 1 for row in rows)


@given(any_table())
def test_terminal_has_a_line_a_row(table):
    cells = [cell for row in table.rows for cell in row]
    best = any(isinstance(cell, Cell) and cell.best for cell in cells)
    title = 2 if table.title.strip() else 0
    lines = title + bool(table.groups) + 2 + len(table.rows) + best
    assert tables.terminal(table).count("\n") == lines - 1


# What does not fit.


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_rows_of_another_length_are_refused(form):
    with pytest.raises(ValueError, match=r"^1 cells for 2 headings: \['x'\]"):
        form(Table("", ["a", "b"], [["x"]]))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("groups", [[("g", 1)], [("g", 2), ("h", 0)]])
def test_groups_that_do_not_fit_are_refused(form, groups):
    with pytest.raises(ValueError, match="^groups of .* for 2 headings$"):
        form(Table("", ["a", "b"], [["x", "y"]], groups))
