"""Tests of the error messages and exit statuses of commands."""

import subprocess
import sys

import pytest

from spheroid_jax.commands import failures
from spheroid_jax.errors import UserError


class FolderError(UserError, ValueError):
    """An error that a user can mend, as modules define them."""


def failing(error):
    def function():
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (FolderError("plate: no images"), "spheroid test: plate: no images"),
        (FileNotFoundError(2, "No such file or directory", "a"), "spheroid test: a: No such "),
        (PermissionError("masks: not yours"), "spheroid test: masks: not yours"),
    ],
)
def test_what_a_user_can_mend_is_one_line(capsys, error, line):
    assert failures.exit_status("spheroid test", failing(error)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(line) and err.count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("shape"), TypeError("3"), KeyError("name")])
def test_a_bug_keeps_its_traceback_and_says_whose_it_is(capsys, error):
    assert failures.exit_status("spheroid test", failing(error)) == 70
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any(line.endswith("in function") for line in lines)
    assert lines[-2].startswith(type(error).__name__)
    assert lines[-1].startswith("spheroid test: this is a bug of spheroid_jax ")


def test_an_interrupt_is_one_line(capsys):
    assert failures.exit_status("spheroid test", failing(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "spheroid test: interrupted\n"


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1)])
def test_a_function_that_ends_gives_its_status(returned, status):
    assert failures.exit_status("spheroid test", lambda value: value, returned) == status


def test_each_line_of_a_long_message_begins_with_the_command(capsys):
    failures.complain("spheroid test", FolderError("2 problems\n  a.png: damaged"))
    assert capsys.readouterr().err == (
        "spheroid test: 2 problems\nspheroid test:   a.png: damaged\n"
    )


def test_a_reader_that_goes_away_is_no_error():
    code = """
import sys
from spheroid_jax.commands import failures
def write():
    for n in range(100_000):
        print(n)
sys.exit(failures.exit_status("spheroid test", write))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
