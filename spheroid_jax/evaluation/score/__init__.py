"""Scores of masks made by any tool, so that tools are compared on the same images.

    spheroid score ROOT cellpose=masks/cellpose runs/adver conventional --output=scores

ROOT is a dataset (a folder with images/ and masks/), or a folder with datasets at any depth. Each
source is one of:

* a folder of masks, in any image format: SOURCE/DATASET/STEM.png, or SOURCE/STEM.png where no other
  dataset has an image of that stem. A mask has the values 0 and one other; with --labels, masks and
  truth may be label images (0, and one number per object);
* a trained model: the folder of a fold or of a run, or the name of a packaged model;
* the word `conventional`: one row for each threshold of `conventional.THRESHOLDS`, and one more
  row, which takes for each image the threshold that is best on the dataset's other groups.

NAME=SOURCE names the row.

Masks are scored at the image's own size. Truth and prediction are first reduced to one body as in
the paper: holes are filled, and the largest object is kept, however small. --all-objects leaves
masks as they are; models and thresholds find one body in any case. A missed body scores 0. With
--missing=zero, a missing mask is scored as an empty one.

With --instances, bodies are scored instead of pixels: masks and truth are label images, or masks of
two values whose connected parts are bodies (`bodies.rules`); models and thresholds find all bodies.

Distances are in pixels of an image scaled to a longer side of 480, as in the paper, so that images
of different sizes can be averaged. The tolerance of the boundary score is a share of the image's
diagonal. Intervals are over groups (DATASET/groups.csv), because the images of one group are not
independent: a bootstrap interval from ten groups on, a t interval below, none for one group.
"""
