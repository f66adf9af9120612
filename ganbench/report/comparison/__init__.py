"""The statistics of a comparison: contrasts, pairing, ranking, verdicts."""
