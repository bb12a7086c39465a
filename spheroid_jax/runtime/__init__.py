"""What the operating system and the platform give: files, locks, signals, logs, XLA, devices."""
