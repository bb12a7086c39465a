"""Training of one fold: losses, steps, loop, checkpoints, fine-tuning."""
