"""Semi-automatic ground truth: propose masks, decide, assemble."""
