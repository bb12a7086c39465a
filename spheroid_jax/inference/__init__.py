"""Segmentation with trained models, and without: the one path from an image to a mask."""
