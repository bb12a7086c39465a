"""Worker processes, each of which prepares one benchmark task and runs the task on request.

Every framework has its own process, so that frameworks share neither threads nor memory. The
processes take turns, so that other load on the machine slows all frameworks alike, and the ratios
within one round are meaningful.
"""

import contextlib
import gc
import importlib
import multiprocessing
import os
import time

import numpy as np

# Pause between two tasks, because the threads of a pool spin for a while after their work.
_REST_S = 0.1


class Worker:
    """A process that has prepared one task.

    Attributes:
      output: value that the first run of the task returned, for comparison.
      start_s: seconds from the start of the process to the end of the first run.
    """

    def __init__(self, work, *, cores=None, environment=(), **arguments):
        """Starts the process and waits until the process has run the task once.

        Args:
          work: "module:function". The function prepares the task: it returns a function without
            arguments that does the task and returns an array, or None.
          cores: number of CPU cores that the process may use; None for all.
          environment: pairs (variable, value), set before anything is imported.
          **arguments: keyword arguments of the function that `work` names.
        """
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, work, cores, tuple(environment), arguments), daemon=True
        )
        start = time.perf_counter()
        self._process.start()
        theirs.close()
        self.output = self._receive()
        self.start_s = time.perf_counter() - start

    def run(self):
        """Runs the task once; returns the seconds that the task took."""
        self.begin()
        return self.end()

    def begin(self, times=1):
        """Starts the task, to be run several times, and does not wait for its end."""
        self._connection.send(("run", times))

    def end(self):
        """Waits for the end of the task that `begin` started; returns the seconds it took."""
        return self._receive()

    def peak_bytes(self):
        """Returns the peak resident memory of the process in bytes."""
        self._connection.send(("peak", None))
        return self._receive()

    def close(self):
        """Ends the process."""
        self._connection.close()
        self._process.join(10)
        self._process.kill()

    def _receive(self):
        try:
            value = self._connection.recv()
        except EOFError:
            self._process.join(10)
            raise RuntimeError(f"a benchmark process ended with {self._process.exitcode}") from None
        if isinstance(value, Exception):
            raise value
        return value


@contextlib.contextmanager
def running(specifications):
    """Starts workers, and ends all of them when the `with` block ends.

    Args:
      specifications: dict from name to the keyword arguments of `Worker`.

    Yields:
      dict from name to `Worker`.
    """
    with contextlib.ExitStack() as stack:
        workers = {}
        for name, arguments in specifications.items():
            workers[name] = Worker(**arguments)
            stack.callback(workers[name].close)
        yield workers


def take_turns(workers, rounds):
    """Runs each worker once per round; the first round is not counted.

    Args:
      workers: dict from name to `Worker`.
      rounds: number of rounds that are counted.

    Returns:
      dict from name to a list with the seconds of each round.
    """
    seconds = {name: [] for name in workers}
    for number in range(rounds + 1):
        for name, worker in workers.items():
            time.sleep(_REST_S)
            taken = worker.run()
            if number:
                seconds[name].append(taken)
    return seconds


def check_agreement(workers, tolerance):
    """Checks that the workers' outputs agree with the output of the first worker.

    Args:
      workers: dict from name to `Worker`.
      tolerance: largest difference that is allowed, relative to the largest value.

    Returns:
      dict from name to the largest relative difference.

    Raises:
      RuntimeError: an output differs by more than the tolerance.
    """
    outputs = {name: worker.output for name, worker in workers.items()}
    reference = next(iter(outputs.values()))
    scale = np.abs(reference).max()
    differences = {
        name: float(np.abs(output - reference).max() / scale) for name, output in outputs.items()
    }
    for name, difference in differences.items():
        if not difference <= tolerance:
            raise RuntimeError(
                f"{name} computes something else: its output differs by {difference:g} of the "
                f"largest value, and {tolerance:g} is allowed"
            )
    return differences


def _serve(connection, work, cores, environment, arguments):
    """Prepares the task and then answers requests; runs in the worker's process."""
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    os.environ.update(environment)
    module, function = work.split(":")
    try:
        run = getattr(importlib.import_module(module), function)(**arguments)
        connection.send(run())
    except Exception as error:
        connection.send(RuntimeError(f"{work}: {error!r}"))
        raise
    gc.disable()
    with contextlib.suppress(EOFError):
        while True:
            request, times = connection.recv()
            if request == "peak":
                connection.send(process_peak_bytes())
                continue
            start = time.perf_counter()
            for _ in range(times):
                run()
            connection.send(time.perf_counter() - start)


def process_peak_bytes():
    """Returns the peak resident memory of this process in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM")
