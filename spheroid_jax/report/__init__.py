"""Figures, tables and HTML pages; the only user of matplotlib and Jinja2."""
