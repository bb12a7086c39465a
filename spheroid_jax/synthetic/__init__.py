"""Drawn images of spheroids with exact masks."""
