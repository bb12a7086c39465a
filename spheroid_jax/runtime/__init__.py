"""Operating system and platform: files, locks, cache folder, signals, logs, XLA, devices."""
