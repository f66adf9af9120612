"""Scores of a generator, all computed from one pass of features over real and generated images.

`catalogue` says what there is, `panel` computes all of it, and the other modules hold one idea
each. Importing this package loads nothing.
"""
