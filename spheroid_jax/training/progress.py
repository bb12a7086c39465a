"""Progress of training: a bar or log lines, `metrics.jsonl` and TensorBoard event files."""

import contextlib
import sys
import time

import tensorboardX
from absl import logging
from tqdm import tqdm

from spheroid_jax.evaluation import grid_scores

_IN_BAR = ("cross_entropy", "adversarial_loss", "lambda")


class Progress:
    """Shows and records the progress of one training; made by `open_progress`."""

    def __init__(self, append, events, bar, step):
        """Keeps the open files and the step at which this process starts."""
        self._append, self._events, self._bar = append, events, bar
        self._started, self._first_step = None, step

    def advance(self, step):
        """Moves the bar to `step`; the first call starts the clock."""
        if self._started is None:
            # Rates count from here, because compilation is over.
            self._started, self._first_step = time.monotonic(), step
        self._bar.update(step - self._bar.n)

    def metrics(self, step, values):
        """Records and shows the training metrics at `step`, a dict of numbers by name."""
        rate = self._rate(step)
        self._write(step, {**values, "steps_per_second": rate})
        shown = {name: f"{values[name]:.3g}" for name in _IN_BAR if name in values}
        self._bar.set_postfix(shown)
        if self._bar.disable:
            words = [f"{name} {value}" for name, value in shown.items()]
            if rate:
                left = duration((self._bar.total - step) / rate)
                words.append(f"{rate:.2f} steps/s, {left} left")
            logging.info("step %d/%d  %s", step, self._bar.total, "  ".join(words))

    def validation(self, step, scores):
        """Records and shows validation scores, and their mean over the datasets.

        Args:
          step: number of completed steps.
          scores: dict from dataset to mean score.
        """
        mean = grid_scores.mean_over_datasets(scores)
        by_dataset = {_validation_name(dataset): f for dataset, f in scores.items()}
        self._write(step, {**by_dataset, "validation/mean": mean})
        shown = [*scores.items(), ("mean", mean)]
        self.say(
            f"step {step}  validation score  " + "  ".join(f"{name} {f:.3f}" for name, f in shown)
        )

    def say(self, message):
        """Shows one line, above the bar where there is one."""
        if self._bar.disable:
            logging.info("%s", message)
        else:
            self._bar.write(message, file=sys.stderr)

    def _rate(self, step):
        if self._started is None or step == self._first_step:
            return 0.0
        elapsed = time.monotonic() - self._started
        return (step - self._first_step) / max(elapsed, 1e-9)

    def _write(self, step, values):
        self._append(step, values)
        for name, value in values.items():
            self._events.add_scalar(name, value, step)


@contextlib.contextmanager
def open_progress(fold, *, step, total_steps):
    """Opens the progress bar and the records of one fold.

    Args:
      fold: `workdir.Fold`, whose folder gets the records.
      step: step from which training resumes; None if training begins. Records of later steps are
        dropped, because the resumed training writes them again.
      total_steps: number of steps of the whole training.

    Yields:
      `Progress`.
    """
    first = step or 0
    with (
        # Fine-tuning writes records of step 0 when it begins; -1 drops those too.
        fold.open_metrics(keep_until=-1 if step is None else step) as append,
        tensorboardX.SummaryWriter(
            str(fold.path), purge_step=first + 1 if first else None
        ) as events,
        tqdm(
            total=total_steps,
            initial=first,
            unit="step",
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
        ) as bar,
    ):
        yield Progress(append, events, bar, first)


def duration(seconds):
    """Returns a duration as text: "31 h", "3 h 20 min", "4 min", "12 s"."""
    minutes = round(seconds / 60)
    if minutes >= 600:
        return f"{round(minutes / 60)} h"
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    if seconds >= 90:
        return f"{minutes} min"
    return f"{seconds:.0f} s"


def _validation_name(dataset):
    """Returns the name of a dataset's scores in the records.

    The name differs from that of the mean over the datasets, even for a dataset named "mean".
    """
    return "validation_of_dataset/mean" if dataset == "mean" else f"validation/{dataset}"
