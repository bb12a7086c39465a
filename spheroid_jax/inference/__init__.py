"""Segmentation of images with trained models or with conventional methods."""
