"""The catalogue: complete, light, and fit to be printed."""

import subprocess
import sys

import pytest

from ganbench.errors import UsageError
from ganbench.scoring.metrics.catalogue import METRICS, SCORES, metric

HEAVY = ("torch", "pandas", "sklearn", "scipy", "torch_fidelity", "numpy")


def test_the_catalogue_loads_nothing_heavy():
    code = (
        "import sys, ganbench.scoring.metrics, ganbench.scoring.metrics.catalogue\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_every_column_of_scores_is_known_once():
    assert set(SCORES) == {
        "fid", "modes_covered", "modes_total", "high_quality", "mode_kl", "mode_entropy",
        "diversity", "precision", "recall", "coverage", "prompt_alignment", "intra_fid", "density",
        "clipped_density", "clipped_coverage", "kid", "kid_standard_error", "mind",
        "fid_infinity", "inception_score", "modes_covered_strict", "vendi", "duplicates",
        "memorisation", "manifold_precision", "manifold_recall",
    }  # fmt: skip
    assert len(SCORES) == len(set(SCORES))


@pytest.mark.parametrize("entry", METRICS, ids=lambda entry: entry.name)
def test_each_metric_says_what_it_is_in_sentences(entry):
    assert entry.direction in ("lower", "higher", "one")
    assert entry.range
    assert len(entry.bounds) == 2
    assert entry.paper
    assert entry.summary[0].isupper()
    assert entry.summary.endswith(".")
    assert not entry.fails_when.endswith(".")  # it follows "fails when"


def test_a_mistyped_metric_is_told_the_near_names():
    assert metric("fid").title == "FID"
    with pytest.raises(UsageError, match="did you mean recall"):
        metric("recal")
