"""Ground truth from proposals: masks, the edited table, and the dataset made of them."""

import csv
import io

import numpy as np
import pytest
from helpers import dark_disk, disk
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spheroid_jax import images
from spheroid_jax.commands import truth as command
from spheroid_jax.data import folder
from spheroid_jax.evaluation import metrics
from spheroid_jax.inference import conventional
from spheroid_jax.truth import assemble, propose, table

STEMS = ("001", "b $x^2$", "c")


@pytest.fixture
def plate(tmp_path):
    """A folder with three images in different formats, and one text file."""
    rng = np.random.default_rng(0)
    plate = tmp_path / "plate"
    plate.mkdir()
    for stem, size, suffix in zip(STEMS, (48, 60, 72), (".png", ".tif", ".jpg"), strict=True):
        image, _ = dark_disk(size, (size / 2, size / 2), size / 5, rng)
        Image.fromarray(image).save(plate / f"{stem}{suffix}")
    (plate / "notes.txt").write_text("day 3")
    return plate


@pytest.fixture
def proposals(plate, tmp_path, capsys):
    """The folder with the proposals for the plate."""
    output = tmp_path / "proposals"
    assert command.main(["propose", str(plate), f"--output={output}"]) == 0
    capsys.readouterr()
    return output


def rows_of(proposals):
    return table.read(proposals / table.NAME).rows


def edit(proposals, rows, delimiter=","):
    """Writes the table like a spreadsheet: with a byte order mark, and any delimiter."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    (proposals / table.NAME).write_text(text.getvalue(), "utf-8-sig")


def decide(proposals, *changes, delimiter=","):
    """Changes the first rows of the table: one dict from column to text per row."""
    rows = rows_of(proposals)
    for row, change in zip(rows, changes, strict=False):
        row.update(change)
    edit(proposals, rows, delimiter)


def run_assemble(proposals, root, dataset="dataset1"):
    return command.main(["assemble", str(proposals), f"--root={root}", f"--dataset={dataset}"])


def files_in(root):
    return sorted(p.name for p in root.rglob("*") if p.is_file())


def test_propose_writes_a_mask_a_row_and_a_tile_per_image(plate, proposals):
    with open(proposals / table.NAME, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == table.COLUMNS
    assert [row["stem"] for row in rows] == list(STEMS)
    for row in rows:
        image = images.read_image(row["image"])
        mask = images.read_mask(proposals / "masks" / f"{row['stem']}.png")
        size = len(image)
        true = disk(size, (size / 2, size / 2), size / 5)
        assert mask.shape == image.shape
        assert metrics.pixel_scores(mask, true).f_score > 0.9
        assert row["method"] == row["proposed"] in conventional.METHODS
        assert 0.5 < float(row["agreement"]) <= 1
        assert row["decision"] == ""
    sheet = images.read_image(proposals / "sheet_1.png")
    assert sheet.shape[1] > 1000 and sheet.shape[0] > 200
    assert not (proposals / "sheet_2.png").exists()


def test_a_sheet_shows_the_contour_in_colour(proposals):
    sheet = images.read_image(proposals / "sheet_1.png")[..., :3].astype(int)
    orange = (sheet[..., 0] - sheet[..., 2]) > 150
    assert 100 < np.count_nonzero(orange) < 0.05 * orange.size


def test_proposals_beyond_a_sheet_get_another(proposals, monkeypatch):
    monkeypatch.setattr(propose, "_TILES_PER_SHEET", 2)
    assert propose.draw_sheets(proposals) == []
    assert (proposals / "sheet_2.png").exists()
    monkeypatch.undo()
    assert propose.draw_sheets(proposals) == []
    assert not (proposals / "sheet_2.png").exists()


def test_proposed_edited_assembled_read_as_a_data_root(proposals, tmp_path, capsys):
    decide(
        proposals,
        {"decision": "accept"},
        {"decision": " Accept ", "method": "li"},
        {"decision": "REJECT"},
    )
    root = tmp_path / "root"
    assert run_assemble(proposals, root) == 0
    assert capsys.readouterr().out == (
        f"2 of 2 accepted masks added to {root / 'dataset1'} "
        "(0 already there, 1 rejected, 0 undecided)\n"
    )
    pairs, problems = folder.find_pairs(root, folder.datasets_in(root))
    assert [pair.stem for pair in pairs] == ["001", "b $x^2$"]
    samples = dict(folder.read_samples(root, pairs, 48, problems))
    assert all((s.label == images.FOREGROUND).any() for s in samples.values())
    for row, pair in zip(rows_of(proposals), pairs, strict=False):
        with open(row["image"], "rb") as file:
            assert pair.image.read_bytes() == file.read()
        gray = images.read_gray(row["image"])
        expected = conventional.segment(gray, row["method"])
        assert (images.read_mask(pair.mask) == expected).all()


def test_the_method_of_each_mask_is_recorded(proposals, tmp_path):
    proposed = rows_of(proposals)[0]
    decide(
        proposals,
        {"decision": "accept"},
        {"decision": "accept", "method": "triangle"},
        {"decision": "accept", "method": "manual"},
    )
    corrected = np.zeros((72, 72), bool)
    corrected[20:50, 20:50] = True
    images.write_mask(proposals / "masks" / "c.png", corrected)
    assert run_assemble(proposals, tmp_path / "root") == 0
    dataset = tmp_path / "root" / "dataset1"
    with open(dataset / "methods.csv", newline="") as file:
        first, second, third = csv.DictReader(file)
    assert first == {
        "stem": "001",
        "method": proposed["method"],
        "agreement": proposed["agreement"],
        "source": "semi-automatic",
    }
    assert (second["method"], second["source"]) == ("triangle", "semi-automatic")
    gray = images.read_gray(rows_of(proposals)[1]["image"])
    mask = images.read_mask(dataset / "masks" / "b $x^2$.png")
    agreement = conventional.edge_agreement(gray, mask)
    assert second["agreement"] == f"{agreement:.3f}"
    assert (third["method"], third["source"]) == ("manual", "manual")
    assert (images.read_mask(dataset / "masks" / "c.png") == corrected).all()


def test_decisions_outlive_another_run(plate, proposals):
    decide(proposals, {"decision": "accept", "method": "li"}, {"decision": "x"})
    corrected = np.eye(48, dtype=bool)
    images.write_mask(proposals / "masks" / "001.png", corrected)
    before = rows_of(proposals)
    image, _ = dark_disk(48, (24, 24), 9, np.random.default_rng(1))
    Image.fromarray(image).save(plate / "d.png")
    assert command.main(["propose", str(plate), f"--output={proposals}"]) == 0
    after = rows_of(proposals)
    assert after[:3] == before
    assert [row["stem"] for row in after] == [*STEMS, "d"]
    assert (images.read_mask(proposals / "masks" / "001.png") == corrected).all()


def test_a_lost_mask_is_made_again_and_its_row_kept(plate, proposals):
    decide(proposals, {"decision": "reject"})
    lost = proposals / "masks" / "001.png"
    content = lost.read_bytes()
    before = (proposals / table.NAME).read_bytes()
    lost.unlink()
    assert command.main(["propose", str(plate), f"--output={proposals}"]) == 0
    assert lost.read_bytes() == content
    assert (proposals / table.NAME).read_bytes() == before


def test_a_spreadsheets_delimiter_and_columns_are_kept(plate, proposals):
    rows = rows_of(proposals)
    for row in rows:
        # A European spreadsheet drops leading zeros and writes decimal commas.
        row["stem"] = row["stem"].lstrip("0")
        row["agreement"] = row["agreement"].replace(".", ",")
        row["remark"] = "well A, blurred"
    edit(proposals, rows, delimiter=";")
    Image.open(plate / "001.png").save(plate / "1.png")
    assert command.main(["propose", str(plate), f"--output={proposals}"]) == 0
    read = table.read(proposals / table.NAME)
    assert read.delimiter == ";"
    assert read.rows[:3] == rows
    assert read.rows[3]["remark"] == ""
    assert read.rows[3]["stem"] == "1"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_delimiter_is_assembled(proposals, tmp_path, delimiter):
    decide(proposals, {"decision": "accept"}, delimiter=delimiter)
    assert run_assemble(proposals, tmp_path / "root") == 0
    assert (tmp_path / "root/dataset1/images/001.png").exists()


def test_undecided_rows_are_counted(proposals, tmp_path, capsys):
    assert run_assemble(proposals, tmp_path / "root") == 0
    assert "0 rejected, 3 undecided" in capsys.readouterr().out
    assert not (tmp_path / "root").exists()


def test_assembling_goes_on_where_it_stopped(proposals, tmp_path, capsys):
    root = tmp_path / "root"
    decide(proposals, {"decision": "accept"}, {"decision": "accept"})
    assert run_assemble(proposals, root) == 0
    (root / "dataset1/masks/001.png").unlink()
    rows = rows_of(proposals)
    rows[2]["decision"] = "accept"
    edit(proposals, rows)
    capsys.readouterr()
    assert run_assemble(proposals, root) == 0
    assert "2 of 2" in (said := capsys.readouterr().out)
    assert "1 already there" in said
    assert files_in(root) == sorted(
        ["001.png", "001.png", "b $x^2$.png", "b $x^2$.tif", "c.jpg", "c.png"] + ["methods.csv"]
    )
    assert len(table.read(root / "dataset1/methods.csv", ()).rows) == 3


def test_other_images_of_the_same_name_are_refused(proposals, tmp_path, capsys):
    root = tmp_path / "root"
    taken = root / "dataset1" / "images"
    taken.mkdir(parents=True)
    Image.new("L", (40, 40)).save(taken / "c.bmp")
    (root / "dataset1" / "masks").mkdir()
    Image.new("L", (40, 40)).save(root / "dataset1" / "masks" / "001.png")
    decide(proposals, *[{"decision": "accept"}] * 3)
    before = files_in(root)
    assert run_assemble(proposals, root) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("masks/001.png exists already and belongs to another image")
    assert second.endswith("images/c.bmp exists already and belongs to another image")
    assert files_in(root) == before


@pytest.mark.parametrize(
    "change, said",
    [
        ({"decision": "acept"}, "001: decision 'acept'; expected accept, reject or nothing"),
        ({"decision": "accept", "method": "ostu"}, "001: no method 'ostu'; choose one of "),
        ({"decision": "accept", "image": "gone/001.png"}, "001: no image gone"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(proposals, tmp_path, capsys, change, said):
    decide(proposals, change, {"decision": "accept"})
    assert run_assemble(proposals, tmp_path / "root") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"spheroid truth: {proposals / table.NAME}: ")
    assert said in line
    assert not (tmp_path / "root").exists()


def test_a_missing_mask_is_named_unless_it_is_computed(proposals, tmp_path, capsys):
    decide(proposals, {"decision": "accept"})
    (proposals / "masks" / "001.png").unlink()
    assert run_assemble(proposals, tmp_path / "root") == 2
    assert ": 001: no mask " in capsys.readouterr().err
    decide(proposals, {"method": "sauvola", "proposed": "otsu"})
    assert run_assemble(proposals, tmp_path / "root") == 0


def test_a_second_row_of_an_image_is_named(proposals, tmp_path, capsys):
    rows = rows_of(proposals)
    edit(proposals, [*rows, rows[0]])
    assert run_assemble(proposals, tmp_path / "root") == 2
    assert "001: an earlier row has the same stem" in capsys.readouterr().err


def test_a_mask_of_another_size_fails_alone(proposals, tmp_path, capsys):
    decide(proposals, {"decision": "accept"}, {"decision": "accept"})
    images.write_mask(proposals / "masks" / "001.png", np.eye(50, 40) > 0)
    root = tmp_path / "root"
    assert run_assemble(proposals, root) == 1
    said = capsys.readouterr()
    assert "001.png: the mask has 40 x 50 px, but its image has 48 x 48 px" in said.err
    assert "1 of 2 accepted masks" in said.out
    assert files_in(root) == ["b $x^2$.png", "b $x^2$.tif", "methods.csv"]


@pytest.mark.parametrize(
    "content, said",
    [
        (None, "no such file; `propose` writes it"),
        (b"", "no column stem, image, "),
        (b"stem,image\na,b\n", "no column method, agreement, decision, pro"),
        (b"stem,\xe9\n", "not a CSV file in UTF-8"),
        (
            ",".join(table.COLUMNS).encode() + b"\na,b,c,d,e,f,g\n",
            "the row of 'a' has 7 cells, but there are only 6 columns",
        ),
    ],
)
def test_a_file_that_is_no_table_of_proposals_is_named(tmp_path, capsys, content, said):
    if content is not None:
        (tmp_path / table.NAME).write_bytes(content)
    assert run_assemble(tmp_path, tmp_path / "root") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line and str(tmp_path / table.NAME) in line


def test_an_image_that_cannot_be_used_does_not_stop_the_others(plate, tmp_path, capsys):
    (plate / "bad.png").write_bytes(b"not an image")
    Image.new("L", (50, 50), 7).save(plate / "flat.png")
    output = tmp_path / "proposals"
    assert command.main(["propose", str(plate), f"--output={output}"]) == 1
    said = capsys.readouterr()
    first, second = said.err.splitlines()
    assert "bad.png: not an image, or damaged" in first
    assert "flat.png: all pixels have the same value (7)" in second
    assert said.out == f"3 of 5 images have a proposal in {output}\n"
    assert len(rows_of(output)) == 3


def test_images_of_one_stem_are_refused(plate, proposals, tmp_path, capsys):
    Image.open(plate / "c.jpg").save(plate / "c.png")
    output = tmp_path / "other"
    assert command.main(["propose", str(plate), f"--output={output}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "c.png: same stem as " in line and "c.jpg; rename one" in line
    assert not output.exists()
    # A later run must not replace the mask of an image with the same stem either.
    arguments = ["propose", str(plate / "c.png"), f"--output={proposals}"]
    assert command.main(arguments) == 2
    assert "c.png: same stem as " in capsys.readouterr().err


def test_folders_that_hold_no_images_or_the_proposals_are_refused(proposals, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for given_, said in (
        (tmp_path / "empty", "empty: no images in this folder"),
        (proposals, "proposals: holds proposals; choose another --output"),
        (proposals / "masks", "masks: holds proposals; choose another"),
    ):
        arguments = ["propose", str(given_), f"--output={proposals}"]
        assert command.main(arguments) == 2
        assert said in capsys.readouterr().err


def test_an_image_given_twice_is_proposed_once(plate, tmp_path, capsys):
    arguments = [str(plate), str(plate / "c.jpg")]
    output = tmp_path / "proposals"
    assert command.main(["propose", *arguments, f"--output={output}"]) == 0
    assert "3 of 3 images" in capsys.readouterr().out


_cells = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12
).map(str.strip)


@settings(max_examples=50)
@given(st.lists(st.tuples(*[_cells] * len(table.COLUMNS)), max_size=4), st.sampled_from(",;\t"))
def test_a_table_is_read_as_it_was_written(tmp_path_factory, cells, delimiter):
    path = tmp_path_factory.mktemp("table") / table.NAME
    rows = [dict(zip(table.COLUMNS, row, strict=True)) for row in cells]
    written = table.Table(rows, table.COLUMNS, delimiter)
    table.write(path, written)
    kept = [row for row in rows if any(row.values())]
    assert table.read(path) == written._replace(rows=kept)


def test_the_manual_word_is_no_method():
    assert assemble.MANUAL not in conventional.METHODS
