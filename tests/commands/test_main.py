"""Tests of the command `spheroid`: subcommands, their help, unknown commands."""

import subprocess
import sys
import tomllib

import pytest
from helpers import ROOT

from spheroid_jax import __version__
from spheroid_jax.commands import main

HELP = """
import sys
from spheroid_jax.commands import main
try:
    main.main(sys.argv[1:])
except SystemExit as end:
    assert not end.code
heavy = {"jax", "numpy", "skimage", "tensorflow", "matplotlib", "tqdm"} & sys.modules.keys()
assert not heavy, heavy
"""


def python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )


@pytest.mark.parametrize("command", main.COMMANDS)
def test_help_has_two_examples_and_imports_nothing_heavy(command):
    result = python("-c", HELP, command, "--help")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"usage: spheroid {command} ")
    examples = result.stdout.split("examples:\n")[1].splitlines()
    assert sum(line.startswith(f"  spheroid {command}") for line in examples) >= 2
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_help_lists_the_commands_with_a_line_each():
    result = python("-c", HELP, "--help")
    assert result.returncode == 0, result.stderr
    for command, what in main.COMMANDS.items():
        assert f"  {command:7}  {what}\n" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit) as end:
        main.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"spheroid_jax {__version__}\n"


def test_without_a_command_the_help_is_shown(capsys):
    assert main.main([]) == 2
    assert "commands:\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("segmnt", "no command 'segmnt'; did you mean segment?"),
        ("scor", "no command 'scor'; did you mean score?"),
        ("train", "no command 'train'; the commands are measure, plate, segment, "),
        ("spheroid-small", "no command 'spheroid-small'; the commands are "),
    ],
)
def test_an_unknown_command_is_refused_with_a_suggestion(capsys, word, said):
    with pytest.raises(SystemExit) as end:
        main.main([word])
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_an_options_misspelling_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        main.main(["segment", "plate", "--otput=masks"])
    assert end.value.code == 2
    assert "spheroid segment: error: unrecognized arguments: --otput" in capsys.readouterr().err


def test_the_package_and_its_entry_point_are_one_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"spheroid": "spheroid_jax.commands.main:main"}
    result = python("-m", "spheroid_jax", "--version")
    assert result.stdout == f"spheroid_jax {__version__}\n"


def test_every_command_has_a_module_and_a_test_file():
    folder = ROOT / "spheroid_jax" / "commands"
    for command in main.COMMANDS:
        assert (folder / f"{command}.py").is_file()
        assert list((ROOT / "tests").rglob(f"test_{command}.py"))
