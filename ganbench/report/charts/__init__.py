"""The charts of a report, one kind per module."""
