"""Laboratory results: measurements of bodies, verdicts on images, tables, outlines, and reports."""
