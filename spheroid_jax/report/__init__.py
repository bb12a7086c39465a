"""Figures for people; the only user of matplotlib."""
