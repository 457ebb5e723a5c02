"""The nouns that flow between the stages, the run folder and the errors."""
