"""Reference page of the config, made from the comments of `configs/adver.py` and `configs/unet.py`.

    python -m docs.config_reference

writes `docs/reference/config.md`. A test fails where the page and the config differ.
"""

import pathlib
import re

_ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "reference" / "config.md"
_CONFIGS = _ROOT / "configs"
_VALUE = re.compile(r"    config\.(?P<key>[\w.]+) = (?P<default>.+?)(?:  # (?P<meaning>.+))?")
_HEAD = """# Config

Every value of a training, with the paper's default. `configs/adver.py` holds the values; the other
files in `configs/` change some of them. Any value can be given as a flag:

    python launch.py --config=configs/adver.py --config.data.root=DIR --config.train.epochs=1

Numbers in parentheses are sections and tables of the paper. Units: `px` are pixels of the network's
grid, a *side* is the length of its side, a *share* lies between 0 and 1.

`python -m docs.config_reference` makes this page from the comments in `configs/`.
"""


def page():
    """Returns the page as Markdown.

    Raises:
      ValueError: a value has no comment.
    """
    values = _values("adver.py")
    parts = [_HEAD, *_table(values, "")]
    parts += _sections(values, "")
    parts += _sections(_values("unet.py", under="model"), ", U-net*")
    return "\n".join(parts)


def _values(file, *, under=""):
    """Lists the values whose keys begin with `under`, as dicts of key, default and meaning."""
    lines = (_CONFIGS / file).read_text().splitlines()
    values = [found.groupdict() for line in lines if (found := _VALUE.fullmatch(line))]
    values = [value for value in values if value["key"].startswith(under)]
    for value in values:
        if not value["meaning"]:
            raise ValueError(f"configs/{file}: config.{value['key']} has no comment")
    return values


def _sections(values, suffix):
    """Returns the lines of one heading and table per section; the suffix ends each heading."""
    lines = []
    for value in values:
        if value["default"] == "ConfigDict()":
            meaning = value["meaning"][0].upper() + value["meaning"][1:]
            lines.append(f"## {value['key']}{suffix}\n\n{meaning}.\n")
            lines += _table(values, value["key"])
    return lines


def _table(values, section):
    """Returns the lines of the table of one section; "" is the top level."""
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for value in values:
        if value["default"] != "ConfigDict()" and value["key"].rpartition(".")[0] == section:
            lines.append(f"| `{value['key']}` | `{value['default']}` | {value['meaning']} |")
    return [*lines, ""]


if __name__ == "__main__":
    PAGE.write_text(page())
