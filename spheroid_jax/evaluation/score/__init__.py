r"""Scores of masks made by any tool, so that tools meet on the same images.

    spheroid score ROOT cellpose=masks/cellpose runs/adver \
        conventional --output=scores

ROOT has data sets (DATASET/images, DATASET/masks), at any depth, or is one. A
source is

* a folder of masks, 0 and one other value: SOURCE/DATASET/STEM.png, or
  SOURCE/STEM.png where no other data set has that stem; any image format.
  With --labels they, and the truth, may be label images: 0, and a number an
  object;
* a trained model: a fold's folder, a run's, or a packaged model's name;
* the word `conventional`: each threshold of `conventional.THRESHOLDS`, and for
  each image the one that does best on the data set's other groups.

NAME=SOURCE names the row. Nothing is resampled: masks are scored at the
image's own size. Truth and prediction are first reduced to one body, the
paper's rule: holes filled, the largest object, however small (--all-objects:
left as they are; a model and a threshold find one body in any case). A body
that was missed scores 0, and so does a missing mask with --missing=zero.
Distances are in pixels of the paper's frame, 480 at the image's longer side,
so that images of different sizes can be averaged; the boundary score's
tolerance is a share of the diagonal. Intervals are over groups
(DATASET/groups.csv), because the images of one group are not independent: a
bootstrap from ten groups on, a t interval below, none for one group.
"""
