"""Formats of others: one file each, and `registry.py`, which lists them."""
