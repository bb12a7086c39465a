"""Runs side by side on the sixth partition: tables, figures, a report.

spheroid compare runs/adver runs/base runs/unet

writes a folder with the report, index.html, and its parts as files.
"""
