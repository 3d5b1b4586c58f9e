"""The command `margin`."""
