"""Closed-form answers, written apart from the code they judge."""
