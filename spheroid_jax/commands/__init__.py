"""The subcommands of `spheroid`, one per file: parser, call, exit status."""
