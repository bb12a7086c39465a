"""Scores of masks and models: metrics, statistics, records, comparisons."""
