"""Task → Patch."""
