"""Verdicts → words and pictures."""
