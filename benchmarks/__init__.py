"""Benchmarks of spheroid_jax against PyTorch, ONNX Runtime and OpenVINO.

    pip install -r benchmarks/requirements.txt
    python -m benchmarks

measures everything and writes the numbers to docs/evidence/performance.json and the tables to
docs/evidence/performance.md. `python -m benchmarks --help` lists the parts.
"""
