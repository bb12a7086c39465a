"""Every command and every Python example of the documents runs."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib

import numpy as np
import pytest
import tifffile
from helpers import ROOT, a_run, untrained
from launching import TINY
from PIL import Image
from plate_tables import write_plate, write_results

from configs import finetune
from spheroid_jax import models
from spheroid_jax.inference import model_file
from spheroid_jax.synthetic import spheroids

DOCS = ROOT / "docs"
# Pages whose commands run one after the other, as a reader types them.
GUIDES = sorted((DOCS / "guides").glob("*.md"))
STORIES = [*GUIDES, DOCS / "evidence" / "results.md"]
# Pages whose commands are all on one of the pages above.
REPEATING = [
    ROOT / "README.md",
    *(DOCS / "evidence" / f"{name}.md" for name in ("paper", "performance")),
]
# Run by .ci/run, by test_docs.py or by hand.
NOT_HERE = (
    "python -m pytest",
    "bash .ci/run",
    "mkdocs build",
    "pre-commit",
    "python -m docs.config_reference",
    "python -m docs.column_reference",
    "python -m benchmarks",
)
FINETUNE = "--config=configs/finetune.py"
STUDY = "--config=configs/lambda_study.py"


def commands_of(page):
    """Lists the commands of a page in order; a backslash continues a line."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.S)
    lines = [line for block in blocks for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines()]
    return [
        line.split("&&")[-1].strip()
        for line in lines
        if not line.startswith("pip install") or "&&" in line
    ]


def is_run(command):
    return not command.startswith(NOT_HERE) and STUDY not in command


IN_STORIES = [command for page in STORIES for command in commands_of(page) if is_run(command)]


def test_no_command_is_overlooked():
    """`REPEATING` pages have no commands of their own."""
    assert {command.split()[0] for command in IN_STORIES} == {"python", "spheroid"}
    for page in STORIES:
        assert any(map(is_run, commands_of(page))), page
    for page in REPEATING:
        assert {*filter(is_run, commands_of(page))} <= {*IN_STORIES}, page


@pytest.mark.parametrize(
    "page", [*STORIES, *REPEATING, ROOT / "CONTRIBUTING.md"], ids=lambda p: p.stem
)
def test_an_extra_that_is_to_be_installed_exists(page):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extras in re.findall(r"pip install [^\n]*\.\[([\w,]+)\]", page.read_text()):
        assert set(extras.split(",")) <= project["optional-dependencies"].keys()


@pytest.fixture
def stage(workplace, tmp_path):
    """A folder where the commands of the documents run as they are typed.

    It holds launch.py, configs/, a data root DIR, images in plate/ and masks of a tool.
    """
    _, root, _ = workplace
    for name in ("launch.py", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(root, tmp_path / "DIR")
    (tmp_path / "plate").mkdir()
    for number, image in enumerate(sorted((root / "dataset1" / "images").iterdir())[:3]):
        Image.open(image).save(tmp_path / "plate" / f"A0{number}.tif")
    for dataset in root.iterdir():
        shutil.copytree(dataset / "masks", tmp_path / "masks" / "cellpose" / dataset.name)
    return tmp_path


# Runs that a page takes for granted.
GRANTED = {"adapt": ("adver",), "score": ("adver",), "segment": ("finetune",)}


@pytest.mark.parametrize("page", STORIES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run_one_after_the_other(page, stage, workplace):
    """Trainings are shortened; everything else is as it is typed."""
    for name in GRANTED.get(page.stem, ()):
        a_run(stage / "runs" / name, [untrained()] * 5)
    for command in filter(is_run, commands_of(page)):
        if page in GUIDES:
            run(command, stage, workplace)
        elif not command.startswith("spheroid compare"):
            # One fold of five: all five, and their comparison, are in the guide to comparing.
            run(command.replace("--fold=all", "--fold=0"), stage, workplace)
        if command.startswith("spheroid truth propose"):
            accept_all(stage / "proposals" / "proposals.csv")
        if command.startswith("spheroid plate template"):
            fill_in(stage)


def run(command, stage, workplace):
    """Runs a command in a folder; a training is made tiny."""
    words = shlex.split(command)
    words = [*expanded(words, stage)]
    if words[0] == "spheroid":
        words[:1] = ["python", "-m", "spheroid_jax"]
    assert words.pop(0) == "python"
    if words[0] == "launch.py" and "--mode=evaluate" not in words:
        words += shortening(words, stage / "stand_in")
    result = subprocess.run(
        [sys.executable, *words],
        env=workplace[2] | {"PYTHONPATH": str(ROOT)},
        cwd=stage,
        text=True,
        capture_output=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout


def expanded(words, folder):
    """Expands "plate/*.tif" to paths, as a shell does."""
    for word in words:
        found = sorted(str(path.relative_to(folder)) for path in folder.glob(word) if "*" in word)
        yield from found or [word]


def shortening(words, folder):
    """Flags that make a training tiny."""
    flags = [*TINY]
    if "--config=configs/unet.py" not in words:
        flags.append("--config.model.depth=3")
    if "--config=configs/demo.py" not in words:
        # Both streams give the same samples; this one starts faster.
        flags.append("--config.data.stream=numpy")
    if FINETUNE in words:
        flags += stand_in(folder)
    if not any("data.root" in word for word in words):
        flags += DRAWN
    return flags


DRAWN = (
    "--config.synthetic.n_easy=6",
    "--config.synthetic.n_hard=6",
    "--config.synthetic.size=64",
)


def stand_in(folder):
    """Flags that make fine-tuning tiny, from a model that the function makes in `folder`.

    The model has the packaged model's kind and the shortened command's size; test_finetune.py holds
    the config against the packaged model itself.
    """
    network = finetune.get_config().model.to_dict() | {"width": 2, "depth": 3}
    variables = models.initial_variables(models.build(**network), 1, seed=0)
    model = model_file.Params.create(variables, size=32, **network)
    model_file.save(model, folder, provenance={})
    return (
        f"--config.init={folder}",
        "--config.optimizer.warmup=2",
        "--config.synthetic.n_varied=6",
        "--config.synthetic.n_scenes=6",
        "--config.data.crops=6",
        *DRAWN,
    )


def accept_all(table):
    """Writes "accept" into the column `decision` of every proposal."""
    heading, *rows = table.read_text().splitlines()
    column = heading.split(",").index("decision")
    lines = [row.split(",") for row in rows]
    for fields in lines:
        fields[column] = "accept"
    table.write_text("\n".join([heading, *map(",".join, lines), ""]))


def fill_in(stage):
    """Fills in the map of the plate, and makes the results of two more experiments."""
    (stage / "map.csv").write_text(
        "well,role,treatment\nA01,negative,DMSO\nA02,sample,drug\nA03,sample,drug\n"
    )
    for name in ("monday", "friday"):
        write_results(stage / name, [{"image": "A01.tif", "well": "A01", "volumes": [1.0]}])


def python_of(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.S)


@pytest.mark.parametrize(
    "page",
    [page for page in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))] if python_of(page)],
    ids=lambda page: page.stem,
)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image, _ = spheroids.make_image("easy", 0, size=64)
    for name in ("well.tif", "day1/A01.tif", "day3/A01.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / name)
    stack = np.stack([image[None].repeat(3, 0)] * 2)
    names = {"Channel": {"Name": ["GFP", "Bright"]}}
    tifffile.imwrite("well.ome.tif", stack, metadata={"axes": "CZYX", **names})
    if page.stem == "plate" and page.parent.name == "guides":
        write_plate(tmp_path, days=(6,))
    variables = {}
    exec("\n".join(python_of(page)), variables)
    if page.stem == "drawn-scenes":
        assert variables["labels"].shape == variables["image"].shape == (256, 256)
        return
    if page.stem == "plate":
        assert "EC50" in capsys.readouterr().out
        assert (tmp_path / "analysis" / "analysis.html").stat().st_size > 10_000
        return
    if page.stem == "plate-map":
        assert (tmp_path / "map.xlsx").stat().st_size > 1000
        return
    if "mask" in variables:
        assert variables["mask"].shape == image.shape and variables["mask"].dtype == bool
        return
    words = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    if page.stem == "measure":
        diameters = [float(word) for word in words]
        assert len(diameters) == 1 and 5 < diameters[0] < 64
    else:
        assert words[:2] == ["day1/A01.tif", "day3/A01.tif"]
        if page.stem == "segment":
            assert words[2:] == ["1"] and variables["found"].core.shape == image.shape
