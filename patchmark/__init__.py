"""The program: settings, pipeline, command line and the GitHub Action."""

__version__ = "0.1.0"
