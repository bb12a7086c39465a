"""Markdown tables of benchmark results, and verdicts on the targets."""

import numpy as np

OURS = "spheroid_jax"
MARKERS = ("<!-- measured -->", "<!-- end of measured -->")
# For each (task, width, images per batch), the largest ratio of our time to each framework's time.
# "PyTorch" is the faster of its two layouts.
TARGETS = {
    ("forward", 60, 1): {"ONNX Runtime": 1.0, "PyTorch": 0.85},
    ("forward", 16, 1): {"ONNX Runtime": 1.2, "PyTorch": 0.9},
    ("gradient", 60, 1): {"PyTorch": 1.0},
    ("gradient", 16, 1): {"PyTorch": 1.0},
    ("step", 60, 1): {"PyTorch": 1.0},
}
_TASKS = {"forward": "forward", "gradient": "forward + backward", "step": "alternating step"}


def replace_measured(text, results):
    """Replaces the text between the markers of a document by the tables of the results."""
    before, _, rest = text.partition(MARKERS[0])
    _, _, after = rest.partition(MARKERS[1])
    parts = (MARKERS[0], render(results), MARKERS[1])
    return before + "\n\n".join(parts) + after


def render(results):
    """Returns all tables, in the order of the document."""
    tables = {
        "machine": _machine,
        "network": _network,
        "convolutions": _convolutions,
        "products": _products,
        "memory": _memory,
        "data": _data,
        "scaling": _scaling,
        "starts": _starts,
        "measure": _measure,
        "accelerator": _accelerator,
    }
    parts = [table(results[name]) for name, table in tables.items() if name in results]
    return "\n\n".join([parts[0], _targets(verdicts(results)), *parts[1:]])


def ratios(case, other):
    """Returns our time divided by another framework's time, for each round.

    Args:
      case: dict returned by `network.measure`.
      other: name of the framework; "PyTorch" stands for the faster of its layouts.
    """
    frameworks = case["frameworks"]
    names = [name for name in frameworks if name.startswith(other)]
    fastest = min(names, key=lambda n: np.median(frameworks[n]["seconds"]))
    ours = np.array(frameworks[OURS]["seconds"])
    return ours / np.array(frameworks[fastest]["seconds"])


def verdicts(results):
    """Returns a pair (met, sentence) for each target that the results have numbers for."""
    found = []
    for case in results.get("network", []):
        key = (case["task"], case["width"], case["count"])
        for other, limit in TARGETS.get(key, {}).items():
            ratio = float(np.median(ratios(case, other)))
            found.append(
                (
                    ratio <= limit,
                    f"{_TASKS[key[0]]}, width {key[1]}: {ratio:.2f} x {other} (target {limit:.2f})",
                )
            )
        if key[0] == "step":
            ratio = _peak(case, OURS) / _peak(case, "PyTorch")
            found.append(
                (
                    ratio <= 1,
                    f"peak memory of a step, width {key[1]}: {ratio:.2f} x PyTorch (target 1.00)",
                )
            )
    if "data" in results:
        found += _data_verdicts(results)
    return found


def _data_verdicts(results):
    data = results["data"]
    steps = [
        case
        for case in results.get("network", [])
        if case["task"] == "step" and case["width"] == 60
    ]
    found = []
    for case in steps:
        rate = 1 / np.median(case["frameworks"][OURS]["seconds"])
        slowest = min(np.median(each) for each in data["pipeline"].values())
        found.append(
            (
                bool(slowest >= 20 * rate),
                f"input pipeline: {slowest / rate:.0f} x the rate of the CPU's "
                "step at width 60 (target 20)",
            )
        )
    for width, seconds in data["files"].items():
        share = _end_to_end(seconds)
        found.append(
            (
                share >= 0.9,
                f"files to masks, width {width}: {share:.2f} x the network's "
                "own rate (target 0.90)",
            )
        )
    return found


def _end_to_end(seconds):
    network, stream = (np.array(seconds[n]) for n in ("network", "stream"))
    return float(np.median(network / stream))


def _peak(case, other):
    return min(
        framework["peak_bytes"]
        for name, framework in case["frameworks"].items()
        if name.startswith(other)
    )


def _table(heading, rows):
    lines = ["| " + " | ".join(heading) + " |", "|---" * len(heading) + "|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)


def _seconds(values):
    return f"{np.median(values):.3g}"


def _targets(judged):
    rows = [("yes" if met else "**no**", text) for met, text in judged]
    return "### Targets\n\n" + _table(("met", "measured"), rows)


def _machine(machine):
    versions = ", ".join(
        f"{name} {version}" for name, version in machine["versions"].items() if version
    )
    return (
        f"{machine['date']}: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, shared with other work; matrix product "
        f"{machine['matrix_product_gflops']} GFLOP/s (float32, 2048 x 2048). "
        f"Python {machine['python']}, {versions}."
    )


def _network(cases):
    rows = []
    for case in cases:
        for name, framework in case["frameworks"].items():
            ratio = ratios(case, name)
            spread = f"{ratio.min():.2f} to {ratio.max():.2f}"
            rows.append(
                (
                    _TASKS[case["task"]],
                    case["width"],
                    case["count"],
                    name,
                    _seconds(framework["seconds"]),
                    "" if name == OURS else f"{np.median(ratio):.2f} ({spread})",
                    f"{framework['peak_bytes'] / 1e9:.2f}",
                )
            )
    heading = ("task", "width", "batch", "framework", "seconds", "ours / theirs", "peak GB")
    return "### Comparison with other frameworks, 480 x 480 px\n\n" + _table(heading, rows)


def _convolutions(rows):
    lines = []
    for row in rows:
        seconds = {n: 1e3 * np.median(s) for n, s in row["seconds"].items()}
        side, kernel = row["side"], row["kernel"]
        lines.append(
            (
                f"{side} x {side}, {row['channels']} maps",
                f"{kernel[0]} x {kernel[1]}",
                *(f"{seconds[f'{who}, forward']:.2f}" for who in ("ours", "XLA")),
                *(f"{seconds[f'{who}, gradient']:.2f}" for who in ("ours", "XLA")),
            )
        )
    heading = ("layer", "kernel", "forward, ours", "XLA's", "both passes, ours", "XLA's")
    return "### Convolutions, ms per layer\n\n" + _table(heading, lines)


def _products(rows):
    lines = [
        (f"{r['m']} x {r['k']} by {r['k']} x {r['n']}", f"{r['flops_per_s'] / 1e9:.0f}")
        for r in rows
    ]
    return "### Six matrix products of minimal filtering\n\n" + _table(("sizes", "GFLOP/s"), lines)


def _memory(memory):
    rows = [(name, f"{size / 1e9:.2f}") for name, size in memory.items()]
    return "### Memory: needs of a step at width 60, besides state and batch\n\n" + _table(
        ("compiled with", "GB"), rows
    )


def _data(data):
    rows = [
        (f"samples drawn, stream {name}", f"{np.median(rates):.0f} per second")
        for name, rates in data["pipeline"].items()
    ]
    rows.append(
        ("post-processing, 480 x 480 px", f"{1e3 * np.median(data['post_processing']):.1f} ms")
    )
    for width, seconds in data["files"].items():
        for name, each in seconds.items():
            rows.append((f"width {width}: {name}", f"{1e3 * np.median(each):.0f} ms per image"))
        rows.append(
            (
                f"width {width}: stream over network",
                f"{_end_to_end(seconds):.2f} of the network's rate",
            )
        )
    return "### Around the network (images of 1080 x 1080 px, 8-bit PNG)\n\n" + _table(
        ("what", "rate"), rows
    )


def _scaling(rows):
    units = {"size": "px", "width": "maps", "count": "images", "cores": "cores"}
    cases = {}
    for row in rows:
        key = (row["varied"], row["value"], row["width"])
        cases.setdefault(key, {})[row["task"]] = row
    lines = [
        (
            f"{value} {units[varied]}",
            width,
            *(
                text
                for task in ("forward", "gradient")
                for text in (
                    f"{tasks[task]['seconds']:.3g}",
                    f"{tasks[task]['peak_bytes'] / 1e9:.2f}",
                )
            ),
        )
        for (varied, value, width), tasks in cases.items()
    ]
    heading = ("varied", "width", "forward, s", "peak GB", "both passes, s", "peak GB")
    return "### Scaling (480 px, batch 1, all cores where not varied)\n\n" + (
        _table(heading, lines)
    )


def _starts(starts):
    rows = [(name, f"{seconds:.1f}") for name, seconds in starts.items()]
    return "### Starting\n\n" + _table(("what", "seconds"), rows)


def _measure(cases):
    rows = [
        (
            name,
            case["files"],
            f"{case['first_row_s']:.1f}",
            f"{case['steady_rate']:.1f}" if case["steady_rate"] else "",
            f"{case['files'] / case['seconds']:.1f}",
            f"{1e3 * case['cpu_s_per_file']:.0f}" if case["cpu_s_per_file"] else "",
            f"{case['peak_bytes'] / 1e9:.2f}",
        )
        for name, case in cases.items()
    ]
    heading = (
        *("files", "number", "first row, s", "images/s, steady", "images/s, with the start"),
        *("CPU ms per image", "peak GB"),
    )
    return "### `spheroid measure`, all outputs\n\n" + _table(heading, rows)


def _accelerator(results):
    rows = [
        (f"inference, {r['dtype']}, batch {r['count']}", f"{r['images_per_s']:.0f} images/s")
        for r in results["inference"]
    ]
    rows += [
        (f"12,000 alternating steps, {dtype}", f"{minutes:.1f} min")
        for dtype, minutes in results["fold_minutes"].items()
    ]
    rows += [
        (f"{folds} folds at once, bfloat16", f"{rate:.1f} steps/s together")
        for folds, rate in results["folds_at_once"].items()
    ]
    return f"### Accelerator: {results['device']}\n\n" + _table(("what", "rate"), rows)
