"""Semi-automatic ground truth: masks are proposed, judged by a person, and made into a dataset."""
