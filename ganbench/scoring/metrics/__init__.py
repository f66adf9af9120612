"""Scores of a generator, computed from features of real and generated images.

`catalogue` lists the scores, `all_scores` computes all of them, and the other modules hold one
idea each. Importing this package loads nothing.
"""
