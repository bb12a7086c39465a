"""The numbers of a model's card: scores, empty images, discs by size, cost.

    python -m benchmarks.model_card --model MODEL --data DIR --out FOLDER

measures MODEL, prints the tables as Markdown, and writes card.json (every number, the machine, the
versions), card.md and one folder per part into FOLDER. MODEL is a packaged model's name or a
folder; DIR is a folder as `benchmarks.sets` describes it. --parts repeats some parts and keeps the
others of card.json; --every N takes every n-th image.
"""
