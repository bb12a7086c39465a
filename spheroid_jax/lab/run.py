"""A run over files: from images to tables, outlines, overlays and a report.

    OUTPUT/measurements.csv     one row per body, and one per picture that was not measured
    OUTPUT/images.csv           one row per picture: verdict, scores, what was read, hash
    OUTPUT/columns.md           what each column means
    OUTPUT/measurements.xlsx  measurements.parquet  images.parquet     where asked for
    OUTPUT/report.html          what to look at first
    OUTPUT/run.json             versions, model, options
    OUTPUT/labels/  probability/  overlays/  rois/  outlines/          mirror the input folders

A picture that is done is not measured again, unless its content, the model or an option has
changed. A file that a person has edited is kept.
"""

import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from spheroid_jax import __version__, images
from spheroid_jax.inference import model_file, pretrained, stream
from spheroid_jax.lab import (
    examination,
    plan,
    report,
    rules,
    verdict,
    wells,
)
from spheroid_jax.lab.journal import Entry, Journal, file_digest
from spheroid_jax.lab.plan import Choice, Failed, Planned
from spheroid_jax.report import sheets
from spheroid_jax.runtime import locks, own_files
from spheroid_jax.runtime.own_files import FOLDER, digest

THUMBNAIL_PX = 360
# Tables are written anew while a run goes on, at most this often.
_REFRESH_S = 10.0


@dataclasses.dataclass(frozen=True)
class MeasureOptions:
    """Options of a run over files.

    Attributes:
      model: name of a packaged model, or folder of a trained fold or run.
      choice: how planes are chosen in files that hold several.
      several: whether to measure all bodies instead of the largest of each picture.
      pattern: regular expression for wells and days in names; None for the known layouts.
      include: patterns of file names or paths, as in a shell; empty for all.
      exclude: patterns of files to leave out.
      formats: further tables, of "xlsx" and "parquet".
      jobs: number of threads that read, and that measure; 0 for one per core.
    """

    model: str = pretrained.DEFAULT
    choice: Choice = Choice()
    several: bool = False
    pattern: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    jobs: int = 0


class Progress(NamedTuple):
    """Where a run stands.

    Attributes:
      done: pictures that are done, those of earlier runs included.
      total: all pictures.
      problem: what is wrong with the last picture; "" if nothing is.
      earlier: pictures that an earlier run has done.
    """

    done: int
    total: int
    problem: str = ""
    earlier: int = 0


class Summary(NamedTuple):
    """Outcome of a run.

    Attributes:
      verdicts: number of pictures by verdict, the trusted ones first.
      bodies: number of measured bodies.
      earlier: pictures that an earlier run had done.
      failed: pictures that could not be read, measured or written.
      kept: files that were kept, such as those that a person has edited, each with the reason.
      without_size: measured pictures of unknown pixel size.
      left_out: files that were left out, with the reason.
    """

    verdicts: dict[str, int]
    bodies: int
    earlier: int
    failed: int
    kept: dict[str, str]
    without_size: int
    left_out: list[tuple[pathlib.Path, str]]


def plan_run(
    inputs: Iterable[str | os.PathLike], output: str | os.PathLike, options: MeasureOptions
) -> Planned:
    """Lists what a run would read, without reading pixels; raises as `plan.make_plan`."""
    return plan.make_plan(
        inputs,
        output,
        options.choice,
        pattern=options.pattern,
        include=options.include,
        exclude=options.exclude,
    )


def measure_files(
    inputs: Iterable[str | os.PathLike],
    output: str | os.PathLike,
    options: MeasureOptions = MeasureOptions(),
    *,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Summary:
    """Measures the bodies of files, and writes tables, outlines, overlays and a report.

    Args:
      inputs: files, folders (with all folders below) and globs.
      output: the folder to write.
      options: what to measure, and how.
      on_progress: called after each picture.

    Raises:
      UserError: nothing can be measured; nothing was written.
      OSError: the folder cannot be written, or another run is writing there.
      KeyboardInterrupt: the run was interrupted; the tables hold what was done.
    """
    folder = pathlib.Path(output)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: not a folder; choose another --output")
    sheets.check_formats(options.formats)
    model_file.folders(options.model)  # Raises where there is none, before anything is written.
    planned = plan_run(inputs, folder, options)
    busy = f"{folder}: another run is writing here; wait for its end, or choose another --output"
    with locks.locked(folder / FOLDER / "lock", busy):
        run = _Run(folder, options, planned, on_progress)
        try:
            run.measure()
        finally:
            # Whatever ends a run, what was measured is in the tables.
            run.journal.close()
            run.write_tables()
            run.write_report()
        return run.summary()


class _Run:
    """One run: what is done, and what is written."""

    def __init__(self, output, options, planned, on_progress):
        self.output, self.options, self.planned = output, options, planned
        self.on_progress = on_progress
        self.journal = Journal(output)
        self.params = model_file.load(options.model)
        self.rules, self.rules_of = rules.load(options.model)
        self.model = _model_name(options.model)
        self.settings = _settings(options, self.model, self.rules)
        self.keys: list[str] = []
        self.earlier = self.failed = 0
        self.kept: dict[str, str] = {}
        self._refreshed = 0.0
        self._contents: dict[pathlib.Path, str] = {}

    def measure(self):
        """Measures what is not done yet."""
        total = len(self.planned.items) + len(self.planned.failed)
        self._report(total)
        for failed in self.planned.failed:
            self._add(self._failed_entry(failed))
            self._report(total, failed)
        waiting = self._not_done(total)
        results = stream.finish_stream(
            self.params,
            waiting,
            read=lambda item: plan.read_picture(item, self.options.choice),
            finish=self._finish,
            threads=self.options.jobs,
            cost=lambda item: item.memory,
        )
        # Closed before the journal: threads that still work write into it.
        with contextlib.closing(results):
            for done in results:
                item, entry, failed = done.source, done.value, None
                if entry is None:
                    failed = Failed(
                        item.found, item.place, plan.reason_of(done.error, item.found.path)
                    )
                    entry = self._failed_entry(failed, item)
                self._add(entry)
                self._report(total, failed)
                self._refresh()

    def _not_done(self, total):
        """Yields the items that no earlier run has done."""
        for item in self.planned.items:
            key = _key(item)
            content = self._content(item.found.path)
            if content and self.journal.is_done(key, content, self.settings):
                self.keys.append(key)
                self.earlier += 1
                self._report(total)
            else:
                yield item

    def _content(self, path):
        """The hash of a file, computed once; "" where it cannot be read, and reading says why."""
        if path not in self._contents:
            try:
                self._contents[path] = file_digest(path)
            except OSError:
                self._contents[path] = ""
        return self._contents[path]

    def _report(self, total, failed=None):
        problem = f"{failed.found.path}: {failed.reason}" if failed else ""
        self.on_progress(Progress(len(self.keys), total, problem, self.earlier))

    def _add(self, entry):
        self.journal.append(entry)
        self.keys.append(entry.key)
        if entry.image["verdict"] == verdict.UNREADABLE:
            self.failed += 1

    def _finish(self, item, image, prepared, maps):
        """Judges, measures and writes one picture; returns its `Entry`. Runs in threads."""
        well = examination.examine_well(
            self.params, item, image, prepared, maps, self.rules, several=self.options.several
        )
        content = self._content(item.found.path)
        image_row = wells.image_row(well, sha256=content, model=self.model)
        body_rows = wells.body_rows(well)
        written: dict[str, str] = {}
        for path, made in examination.outputs(well):
            if not self.journal.write(path, made, written):
                self.kept[path] = own_files.EDITED
        card = self._card(well, written)
        return Entry(_key(item), content, self.settings, image_row, body_rows, card, written)

    def _card(self, well, written):
        """What the report shows of one picture."""
        path = f"{FOLDER}/thumbnails/{well.item.name}.jpg"
        self.journal.write(path, images.jpeg(well.shown, THUMBNAIL_PX), written)
        return {
            "thumbnail": path,
            "doubts": list(well.doubts),
            "contours": [
                [body.number, body.outline.round(1).tolist()] for body in well.examined.bodies
            ],
        }

    def _failed_entry(self, failed, item=None):
        content = self._content(failed.found.path)
        key = _key(item) if item else failed.found.place.as_posix() + failed.found.path.suffix
        image = wells.failed_row(failed, sha256=content, model=self.model)
        # Never done: the next run tries again.
        return Entry(key, content, "", image, [wells.unmeasured_row(failed)], {}, {})

    def _refresh(self):
        now = time.monotonic()
        if now - self._refreshed > _REFRESH_S:
            self.write_tables()
            # A table that takes long to write is written less often.
            self._refreshed = now + 20 * (time.monotonic() - now)

    def entries(self) -> list[Entry]:
        """Returns the entries of this run, in the order of the inputs."""
        order = {_key(item): n for n, item in enumerate(self.planned.items)}
        known = [self.journal.entries[key] for key in dict.fromkeys(self.keys)]
        return sorted(known, key=lambda entry: order.get(entry.key, -1))

    def write_tables(self):
        """Writes the tables, columns.md and run.json."""
        entries = self.entries()
        image_rows = [entry.image for entry in entries]
        body_rows = [row for entry in entries for row in entry.bodies]
        made = {
            "measurements.csv": sheets.csv_bytes(wells.BODY, body_rows),
            "images.csv": sheets.csv_bytes(wells.IMAGE, image_rows),
            "columns.md": sheets.explanation(
                {"measurements.csv": wells.BODY, "images.csv": wells.IMAGE}
            ).encode(),
            "run.json": self._about().encode(),
        }
        if "xlsx" in self.options.formats:
            pages = {"measurements": (wells.BODY, body_rows), "images": (wells.IMAGE, image_rows)}
            made["measurements.xlsx"] = sheets.xlsx_bytes(pages)
        if "parquet" in self.options.formats:
            made["measurements.parquet"] = sheets.parquet_bytes(wells.BODY, body_rows)
            made["images.parquet"] = sheets.parquet_bytes(wells.IMAGE, image_rows)
        own_files.write(self.output, made, self.kept)

    def write_report(self):
        """Writes report.html."""
        entries = self.entries()
        made = report.page(entries, self.output, model=self.model, rules_of=self.rules_of)
        own_files.write(self.output, {"report.html": made}, self.kept)

    def _about(self):
        """Returns the text of run.json: versions, model, options."""
        import jax

        options = dataclasses.asdict(self.options)
        about = {
            "spheroid_jax": __version__,
            "python": platform.python_version(),
            "jax": jax.__version__,
            "numpy": np.__version__,
            "model": self.model,
            "rules": self.rules_of,
            "options": options,
            "left_out": {str(path): reason for path, reason in self.planned.left_out},
        }
        return json.dumps(about, indent=2, sort_keys=True) + "\n"

    def summary(self) -> Summary:
        """Counts what the run has done."""
        entries = self.entries()
        counts = collections.Counter(entry.image["verdict"] for entry in entries)
        ordered = {name: counts[name] for name in reversed(report.MEANINGS) if counts[name]}
        measured = [entry for entry in entries if any(row["body"] != "" for row in entry.bodies)]
        return Summary(
            verdicts=ordered,
            bodies=sum(len(entry.bodies) for entry in measured),
            earlier=self.earlier,
            failed=self.failed,
            kept=self.kept,
            without_size=sum(entry.image["pixel_size_um"] == "" for entry in measured),
            left_out=self.planned.left_out,
        )


def _key(item):
    return f"{item.found.place.as_posix()}{item.found.path.suffix}#{item.scene}#{item.t}"


def _model_name(model):
    """Name of a model with the beginning of the hash of its weights."""
    hashes = [model_file.digest(folder) for folder in model_file.folders(model)]
    return f"{model} ({', '.join(each[:12] for each in hashes)})"


def _settings(options, model, model_rules):
    """Hash of all that a picture's rows depend on beside the file."""
    # A higher limit changes no picture that was read.
    choice = dataclasses.replace(options.choice, max_pixels=0)
    what: Sequence[Any] = (
        __version__,
        model,
        model_rules,
        dataclasses.asdict(choice),
        options.several,
        options.pattern,
        # Rows of an older version may lack columns.
        [column.name for column in (*wells.IMAGE, *wells.BODY)],
    )
    return digest(json.dumps(what, default=str).encode())
