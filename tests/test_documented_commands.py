"""Every command of the README and the documents runs."""

import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT
from launching import TINY

from configs import finetune
from spheroid_jax import models
from spheroid_jax.inference import model_file

COMMANDS = [
    line
    for page in ("README.md", "docs/evidence/results.md", "docs/evidence/paper.md")
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.S)
    for line in block.splitlines()
    if "python" in line or line.startswith("spheroid ")
]

FINETUNE = "--config=configs/finetune.py"


def stand_in(folder):
    """Flags that make fine-tuning tiny, from a model that it makes in `folder`.

    It is of the packaged model's kind and of the shortened command's size;
    test_finetune.py holds the config against the packaged model itself.
    """
    network = finetune.get_config().model.to_dict() | {"width": 2, "depth": 3}
    variables = models.initial_variables(models.build(**network), 1, seed=0)
    model = model_file.Params.create(variables, size=32, **network)
    model_file.save(model, folder, provenance={})
    return (
        f"--config.init={folder}",
        "--config.optimizer.warmup=2",
        "--config.synthetic.n_varied=6",
        "--config.synthetic.n_easy=6",
        "--config.synthetic.n_hard=6",
        "--config.synthetic.size=64",
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documents_runs(workplace, trained, command, tmp_path):
    """Shortened by overrides, from the data root and into workdirs of here."""
    folder, root, environment = workplace
    command = command.split("&&")[-1].strip()
    if command == "python -m pytest":
        return  # This is it.
    words = shlex.split(command)
    if words[0] == "spheroid":
        words[:1] = ["python", "-m", "spheroid_jax"]
    assert words.pop(0) == "python"
    if words[0] == "launch.py":
        words = [word.replace("=DIR", f"={root}") for word in words]
        if "--mode=evaluate" in words:
            words += [f"--workdir={trained[0].parent}", "--fold=0"]
        else:
            words += [*TINY, f"--workdir={folder / str(abs(hash(command)))}"]
            if "--config=configs/unet.py" not in words:
                words.append("--config.model.depth=3")
            if "--config=configs/unet.py" in words:
                words.append("--config.data.stream=numpy")
            if FINETUNE in words:
                words += stand_in(folder / "stand_in")
            if not any("data.root" in word for word in words):
                words += [
                    "--config.synthetic.n_easy=6",
                    "--config.synthetic.n_hard=6",
                    "--config.synthetic.size=64",
                ]
    if "--config=configs/lambda_study.py" in words:
        pytest.skip("45 trainings; test_a_study_trains_each_variant runs two")
    if words[:2] == ["-m", "spheroid_jax"]:
        (tmp_path / "plate").symlink_to(root / "dataset1" / "images")
    result = subprocess.run(
        [sys.executable, *words],
        env=environment | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path if words[:2] == ["-m", "spheroid_jax"] else ROOT,
        text=True,
        capture_output=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_the_readmes_python_segments(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    from PIL import Image

    image = np.random.default_rng(0).integers(0, 999, (70, 60), np.uint16)
    Image.fromarray(image).save(tmp_path / "well.tif")
    code = code.replace("well.tif", str(tmp_path / "well.tif"))
    names = {}
    exec(code, names)
    assert names["mask"].shape == names["probability"].shape == (70, 60)
