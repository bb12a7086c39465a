"""Benchmark of `spheroid measure` from files to tables, outlines, overlays and report."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import tifffile
from PIL import Image

from benchmarks import inputs
from spheroid_jax.synthetic import spheroids

_COMMAND = "import sys; from spheroid_jax.commands import measure; sys.exit(measure.main())"
# Side in pixels and number of files.
_CASES = {
    "1080 x 1080 px": (1080, 60),
    "512 x 512 px": (512, 2000),
    "12,000 x 12,000 px": (12_000, 1),
    "12,000 x 12,000 px, several": (12_000, 3),
}
# The share of rows before the steady rate is taken, and how many rows that needs.
_WARM, _FEWEST = 0.25, 20
_POLL_S = 0.05


def measure():
    """Times a new process per case, on 16-bit TIFF files without compression.

    Returns:
      dict from a case to a dict: number of files, seconds until the process has ended, seconds to
      the first row, images per second without the start, processor seconds per file without the
      start, and the peak resident memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # Compiles, as the first run on a machine does.
        _run(_write(folder / "first", 128, 1), folder / "results", 1)
        return {
            name: _run(_write(folder / name, side, count), folder / f"{name} results", count)
            for name, (side, count) in _CASES.items()
        }


def _write(folder, side, count):
    """Writes drawn images; many files are links to 30 different ones."""
    folder.mkdir()
    rng = np.random.default_rng(inputs.SEED)
    for n in range(min(count, 30 if side < 5000 else 1)):
        drawn, _ = spheroids.make_image(spheroids.FLAVOURS[n % 2], n, size=min(side, 1080))
        shown = np.asarray(Image.fromarray(drawn).resize((side, side), Image.Resampling.BILINEAR))
        pixels = np.empty(shown.shape, np.uint16)
        for rows in np.array_split(np.arange(side), max(1, side // 500)):
            noisy = 150.0 * shown[rows] + 2000 + 60 * rng.standard_normal((len(rows), side))
            pixels[rows] = noisy.clip(0, 65_535)
        options = {"resolution": (2, 2), "metadata": {"unit": "um"}}
        tifffile.imwrite(folder / f"{n:04d}.tif", pixels, imagej=True, **options)
    made = sorted(folder.iterdir())
    for n in range(len(made), count):
        os.link(made[n % len(made)], folder / f"{n:04d}.tif")
    return folder


def _run(source, output, count):
    """Runs the command in a process of its own, and follows its journal."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, str(source), "--output", str(output)],
        stdout=subprocess.DEVNULL,
    )
    journal, read, rows = output / ".spheroid" / "journal.jsonl", 0, []
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        now = time.perf_counter() - start
        if journal.exists():
            with journal.open("rb") as file:
                file.seek(read)
                lines = file.read().rpartition(b"\n")[0]
            read += len(lines) + 1 if lines else 0
            new = sum("key" in json.loads(line) for line in lines.splitlines())
            rows += [(now, _cpu_s(process.pid))] * new
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            break
        time.sleep(_POLL_S)
    if process.returncode or len(rows) != count:
        raise RuntimeError(f"spheroid measure ended with {process.returncode}: {len(rows)} rows")
    warm = int(_WARM * count)
    steady = count >= _FEWEST
    return {
        "files": count,
        "seconds": now,
        "first_row_s": rows[0][0],
        "steady_rate": (count - 1 - warm) / (rows[-1][0] - rows[warm][0]) if steady else None,
        "cpu_s_per_file": _slope(rows[warm:]) if steady else None,
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def _cpu_s(pid):
    """Processor seconds that a process has used; NaN once it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return np.nan
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _slope(rows):
    """Processor seconds per row."""
    seconds = np.array([cpu for _, cpu in rows])
    known = np.flatnonzero(np.isfinite(seconds))
    first, last = known[0], known[-1]
    return float((seconds[last] - seconds[first]) / (last - first))
