"""Subcommands of `spheroid`, one per file: argument parser, call, exit status."""
