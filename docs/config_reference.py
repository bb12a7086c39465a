"""Reference page of the config, made from the comments of `configs/adver.py`.

    python -m docs.config_reference

writes `docs/reference/config.md`. A test fails where the page and the config differ.
"""

import pathlib
import re

_ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "reference" / "config.md"
_SOURCE = _ROOT / "configs" / "adver.py"
_VALUE = re.compile(r"    config\.(?P<key>[\w.]+) = (?P<default>.+?)(?:  # (?P<meaning>.+))?")
_HEAD = """# Config

Every value of a training, with the paper's default. `configs/adver.py` holds the values; the other
files in `configs/` change some of them. Any value can be given as a flag:

    python launch.py --config=configs/adver.py --config.data.root=DIR --config.train.epochs=1

Numbers in parentheses are sections and tables of the paper. Units: `px` are pixels of the network's
grid, a *side* is the length of its side, a *share* lies between 0 and 1.

This page is made from the comments of `configs/adver.py` by `python -m docs.config_reference`.
"""


def page():
    """Returns the page as Markdown.

    Raises:
      ValueError: a value has no comment.
    """
    parts = [_HEAD, *_table("")]
    for line in _SOURCE.read_text().splitlines():
        found = _VALUE.fullmatch(line)
        if found and found["default"] == "ConfigDict()":
            meaning = found["meaning"][0].upper() + found["meaning"][1:]
            parts += [f"## {found['key']}\n\n{meaning}.\n", *_table(found["key"])]
    return "\n".join(parts)


def _table(section):
    """Returns the lines of the table of one section; "" is the top level."""
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for line in _SOURCE.read_text().splitlines():
        found = _VALUE.fullmatch(line)
        if not found or found["default"] == "ConfigDict()":
            continue
        if found["key"].rpartition(".")[0] == section:
            if not found["meaning"]:
                raise ValueError(f"configs/adver.py: config.{found['key']} has no comment")
            lines.append(f"| `{found['key']}` | `{found['default']}` | {found['meaning']} |")
    return [*lines, ""]


if __name__ == "__main__":
    PAGE.write_text(page())
