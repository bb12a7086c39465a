"""Comparison of training runs on the test images: tables, figures and a page.

    spheroid compare runs/adver runs/base runs/unet

writes a folder with the page, index.html, and with its tables and figures as files.
"""
