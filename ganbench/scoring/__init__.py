"""Scores of a generator: draw images, extract features, compute scores."""
