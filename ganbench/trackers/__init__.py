"""Trackers: TensorBoard, Weights & Biases, MLflow, Trackio, and those of other packages."""

from __future__ import annotations

from ganbench.trackers.tracker import RunEnd, TrackedRun, Tracker

__all__ = ["RunEnd", "TrackedRun", "Tracker"]
