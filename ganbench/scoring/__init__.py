"""Scores of a generator: images are drawn, described by features, and measured."""
