"""Inputs at random, each of which must succeed with legitimate numbers or be refused in plain lines."""
