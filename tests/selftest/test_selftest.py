"""The self-test on the digits: which way each metric goes on generators whose faults are known."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import ganbench, one_line
from markdown_it import MarkdownIt
from PIL import Image
from rich.console import Console

from ganbench.cli.selftest import conclude
from ganbench.data.dataset import Dataset, Split, ignore_progress
from ganbench.errors import DataError, UsageError
from ganbench.scoring.metrics.catalogue import METRICS, SCORES, metric
from ganbench.selftest.expectations import EXPECTATIONS, shortfalls
from ganbench.selftest.known_generators import known_generators
from ganbench.selftest.measure import Scorer
from ganbench.selftest.outcome import band, detect, outcome_of
from ganbench.selftest.page import page
from ganbench.selftest.pixels import add_noise, blur, lose_contrast
from ganbench.selftest.publish import publish
from ganbench.selftest.splits import choose_count, divide

pytestmark = pytest.mark.usefixtures("digits_backbone")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The folder of one self-test on the digits."""
    out = tmp_path_factory.mktemp("results") / "selftest"
    command = ("selftest", "--dataset", "digits", "--device", "cpu", "--no-sanity")
    assert ganbench(*command, "--out", out) == 0
    return out


@pytest.fixture(scope="module")
def means(published):
    """Mean of each score over the draws, by generator and strength; the control's strength is 0."""
    table = pd.read_csv(published / "responses.csv")
    table["strength"] = table["strength"].fillna(0)
    return table.groupby(["generator", "strength"], sort=False)[list(SCORES)].mean()


def along(means, generator, name):
    """A score from the weakest strength to the strongest."""
    return list(means.loc[generator, name])


def verdict(published, name, generator):
    table = pd.read_csv(published / "verdicts.csv")
    (row,) = table[(table["metric"] == name) & (table["generator"] == generator)].to_dict("records")
    return row


# --- Directions ---


@pytest.mark.slow
def test_as_many_modes_are_covered_as_classes_are_drawn(means):
    covered = means.loc["classes", "modes_covered"]
    assert list(covered.index) == list(range(10, 0, -1))
    assert list(covered) == list(covered.index)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["recall", "coverage", "clipped_coverage", "diversity", "mode_entropy", "vendi"]
)
def test_diversity_falls_with_every_class_that_vanishes(means, name):
    assert (np.diff(along(means, "classes", name)) < 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fid", "kid", "mind", "mode_kl"])
def test_distances_grow_with_every_class_that_vanishes(means, name):
    assert (np.diff(along(means, "classes", name)) > 0).all()


@pytest.mark.slow
def test_precision_does_not_fall_as_classes_vanish(means, published):
    assert verdict(published, "precision", "classes")["verdict"] == "blind"
    spread = verdict(published, "precision", "classes")["control_std"]
    control = means.loc[("control", 0), "precision"]
    assert min(along(means, "classes", "precision")) > control - 2 * spread


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fid", "kid", "mind"])
@pytest.mark.parametrize("fault", ["repeated", "imbalance", "noise", "blur", "contrast"])
def test_distances_grow_with_the_strength_of_a_fault(means, published, name, fault):
    values, spread = along(means, fault, name), verdict(published, name, fault)["control_std"]
    assert verdict(published, name, fault)["verdict"] == "sees"
    assert (np.diff(values) > -spread).all()
    assert values[-1] == max(values)


@pytest.mark.slow
def test_a_repeated_image_is_precise_and_has_no_recall(means):
    assert means.loc[("repeated", 1), "precision"] > means.loc[("control", 0), "precision"]
    assert means.loc[("repeated", 1), "recall"] == 0


@pytest.mark.slow
def test_near_duplicates_are_all_of_a_repetition_and_hardly_any_real_images(means):
    assert along(means, "repeated", "duplicates") == [1, 1, 1]
    assert means.loc[("control", 0), "duplicates"] < 0.06
    assert means.loc[("memorised", 1), "duplicates"] < 0.06


@pytest.mark.slow
def test_vendi_counts_the_images_that_are_repeated(means):
    assert means.loc[("repeated", 1), "vendi"] == pytest.approx(1, abs=1e-6)
    assert means.loc[("repeated", 6), "vendi"] <= 6


@pytest.mark.slow
def test_only_memorisation_sees_a_memorised_training_set(published):
    table = pd.read_csv(published / "verdicts.csv")
    seen = table[(table["generator"] == "memorised") & (table["verdict"] == "sees")]
    assert list(seen["metric"]) == ["memorisation"]


@pytest.mark.slow
def test_memorisation_falls_to_zero_for_copies_alone(means):
    assert means.loc[("memorised", 1), "memorisation"] == pytest.approx(0, abs=1e-6)
    others = means.drop(index="memorised")["memorisation"]
    assert others.min() > 0.75
    assert means.loc[("control", 0), "memorisation"] == pytest.approx(1, abs=0.1)
    assert (means.loc[["noise", "blur", "contrast"], "memorisation"] > 0.9).all()


@pytest.mark.slow
def test_perfect_images_that_are_new_to_the_classifier_alarm_no_metric(published):
    table = pd.read_csv(published / "verdicts.csv")
    assert set(table.loc[table["generator"] == "unseen", "verdict"]) == {"blind"}


@pytest.mark.slow
def test_scores_that_need_inception_or_prompts_or_more_images_stay_empty(published):
    table = pd.read_csv(published / "responses.csv")
    empty = {name for name in SCORES if table[name].isna().all()}
    assert empty == {
        "inception_score", "prompt_alignment", "intra_fid", "fid_infinity", "high_quality",
        "manifold_precision", "manifold_recall",
    }  # fmt: skip
    assert not table.drop(columns=[*empty, "strength"]).isna().any().any()


# --- What is expected of the scores ---


def sabotaged(published, splits, change):
    """The outcome of the published responses, changed as if a score were computed wrongly."""
    table = pd.read_csv(published / "responses.csv")
    record = json.loads((published / "selftest.json").read_text(encoding="utf-8"))
    return outcome_of(change(table), known_generators(splits), record)


def concluded(outcome):
    """Exit code, and lines of the terminal that warn."""
    screen = Console(record=True, width=200, file=io.StringIO())
    code = conclude(outcome, screen)
    lines = screen.export_text().splitlines()
    return code, [line for line in lines if line.startswith("warning:")]


@pytest.mark.slow
def test_the_scores_of_the_digits_do_what_is_expected(published, splits):
    assert concluded(sabotaged(published, splits, lambda table: table)) == (0, [])
    assert json.loads((published / "selftest.json").read_text())["shortfalls"] == []
    readme = (published / "README.md").read_text(encoding="utf-8")
    assert re.search(
        r"^- all \d+ expectations of these scores are met$", readme, flags=re.MULTILINE
    )


@pytest.mark.slow
def test_exchanged_precision_and_recall_are_noticed(published, splits):
    names = {"precision": "recall", "recall": "precision"}
    code, warnings = concluded(
        sabotaged(published, splits, lambda table: table.rename(columns=names))
    )
    assert code == 1
    assert any("recall is blind to it" in line and "(classes)" in line for line in warnings)
    assert all("precision" in line or "recall" in line for line in warnings)


@pytest.mark.slow
def test_exchanged_clipped_density_and_coverage_are_noticed(published, splits):
    names = {"clipped_density": "clipped_coverage", "clipped_coverage": "clipped_density"}
    code, warnings = concluded(
        sabotaged(published, splits, lambda table: table.rename(columns=names))
    )
    assert code == 1
    assert any("clipped coverage is blind to it" in line and "(classes)" in line
               for line in warnings)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(EXPECTATIONS) - {"fid_infinity", "inception_score"}))
@pytest.mark.parametrize("kind", ["constant", "inverted"])
def test_a_score_that_never_changes_or_goes_the_wrong_way_is_noticed(published, splits, name, kind):
    def change(table):
        if kind == "constant":
            return table.assign(**{name: 0.5})
        if metric(name).direction == "one":  # as far from 1 as it should be near, and back
            return table.assign(**{name: 1 + 1 / (0.01 + abs(table[name] - 1))})
        return table.assign(**{name: -table[name]})

    outcome = sabotaged(published, splits, change)
    code, warnings = concluded(outcome)
    assert code == 1
    assert warnings
    assert all(f"warning: {metric(name).title} is " in line for line in warnings)
    assert [f"warning: {sentence}" for sentence in shortfalls(outcome)] == warnings


@pytest.mark.slow
def test_blindness_for_lack_of_images_or_draws_is_no_shortfall(published, splits):
    for record in ({"draws": 1}, {"protocol": {"fake_count": 59}}):

        def change(table):
            return table.assign(recall=0.5)

        outcome = sabotaged(published, splits, change)
        outcome.record.update(record)
        assert shortfalls(outcome) == ()


def test_every_metric_has_an_expectation_or_needs_images_drawn_by_class():
    faults = {
        "repeated",
        "classes",
        "imbalance",
        "memorised",
        "noise",
        "blur",
        "contrast",
        "unseen",
    }
    without = {entry.name for entry in METRICS} - set(EXPECTATIONS)
    assert without == {
        "prompt_alignment", "intra_fid", "high_quality", "manifold_precision", "manifold_recall",
    }  # fmt: skip
    for expectation in EXPECTATIONS.values():
        assert expectation.sees
        named = [*expectation.sees, *expectation.is_not_misled_by]
        assert len(set(named)) == len(named)
        assert set(named) <= faults


# --- What is published ---


@pytest.mark.slow
def test_the_table_of_responses_has_one_row_per_generator_strength_and_draw(published):
    table = pd.read_csv(published / "responses.csv")
    assert list(table.columns) == ["generator", "strength", "draw", *SCORES]
    assert not table.duplicated(["generator", "strength", "draw"]).any()
    assert table["generator"].value_counts()["control"] == 20
    counts = table[table["generator"] != "control"].groupby(["generator", "strength"]).size()
    assert set(counts) == {5}
    assert len(counts) == 3 + 10 + 4 + 4 + 4 + 4 + 4 + 1


@pytest.mark.slow
def test_every_metric_that_applies_has_a_verdict_on_every_fault(published):
    table = pd.read_csv(published / "verdicts.csv")
    assert len(table) == (len(METRICS) - 7) * 8
    assert set(table["verdict"]) <= {"sees", "blind", "varies", "misled"}


@pytest.mark.slow
def test_a_verdict_follows_from_the_responses_by_a_rule_written_down_twice(published):
    table = pd.read_csv(published / "responses.csv")
    control = table.loc[table["generator"] == "control", "coverage"]
    faulty = table.loc[(table["generator"] == "noise") & (table["strength"] == 64), "coverage"]
    row = verdict(published, "coverage", "noise")
    assert row["standardised"] == pytest.approx((control.mean() - faulty.mean()) / control.std())
    assert row["verdict"] == "sees"
    assert row["sees_from"] in {8, 16, 32, 64}


@pytest.mark.slow
def test_the_readme_says_what_was_done_and_shows_its_charts(published):
    text = (published / "README.md").read_text(encoding="utf-8")
    record = json.loads((published / "selftest.json").read_text(encoding="utf-8"))
    assert record["protocol_hash"] in text
    assert "None" not in text
    for name in ("answers.png", "responses.png"):
        assert f"charts/{name}" in text
        with Image.open(published / "charts" / name) as image:
            assert image.width > 800
            assert len(image.convert("RGB").getcolors(1 << 24)) > 50


@pytest.mark.slow
def test_the_page_holds_its_charts_and_needs_no_other_file(published):
    text = (published / "report.html").read_text(encoding="utf-8")
    sources = re.findall(r'src="([^"]*)"', text)
    charts = [published / "charts" / name for name in ("answers.png", "responses.png")]
    expected = [base64.b64encode(chart.read_bytes()).decode() for chart in charts]
    assert sources == [f"data:image/png;base64,{data}" for data in expected]
    assert text.count("<table>") == 3
    assert "<strong>Sees</strong>" in text


@pytest.mark.slow
def test_texts_of_others_are_shown_as_they_are_in_the_readme(published, splits, tmp_path):
    hostile = "[a](b) | <b> `x` *y* \x1b[2J \udcff"
    outcome = sabotaged(published, splits, lambda table: table)
    record = {**outcome.record, "title": hostile, "command": hostile}
    publish(replace(outcome, record=record), tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "\x1b" not in text
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert 'href="b"' not in html
    assert "<b>" not in html


def test_raw_html_in_notes_is_shown_as_text():
    assert "<script>" not in page("a title", "<script>alert(1)</script>", {})


@pytest.mark.slow
def test_the_terminal_ends_with_the_verdicts_and_the_folder(tmp_path, capsys):
    out = tmp_path / "out"
    assert ganbench("selftest", "--dataset", "digits", "--images", 30, "--draws", 1,
                    "--backbone", "classifier", "--out", out) == 0  # fmt: skip
    shown = capsys.readouterr().out
    assert "unseen" in shown
    assert f"results: {out}" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines() if "sees" in line) <= 80
    for entry in METRICS:
        missing = entry.name in {
            "inception_score", "prompt_alignment", "intra_fid", "fid_infinity", "high_quality",
            "manifold_precision", "manifold_recall",
        }  # fmt: skip
        first = entry.title.replace("-", "- ").split()[0]
        assert (first in shown) != missing or first in {"FID"}
    assert len(pd.read_csv(out / "responses.csv")) == 20 + 34


@pytest.mark.slow
def test_the_same_self_test_again_gives_the_same_numbers_and_keeps_notes(published):
    before = (published / "responses.csv").read_bytes()
    (published / "notes.md").write_text("A note by hand.", encoding="utf-8")
    assert ganbench("selftest", "--dataset", "digits", "--device", "cpu", "--out", published) == 0
    assert "sanity.csv" in (published / "README.md").read_text(encoding="utf-8")
    assert (published / "responses.csv").read_bytes() == before
    assert "A note by hand." in (published / "README.md").read_text(encoding="utf-8")


# --- What cannot be done ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "digit"], "did you mean digits"),
        (["--dataset", "digits", "--backbone", "incepton"], "did you mean inception"),
        (["--dataset", "digits", "--images", "64"], "digits allows 20 to 63"),
        (["--dataset", "digits", "--images", "5"], "digits allows 20 to 63"),
        (["--dataset", "digits", "--draws", "0"], "--draws"),
        (["--dataset", "imagefolder:nowhere"], "nowhere"),
        ([], "--dataset"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments, message, tmp_path, capsys):
    assert ganbench("selftest", *arguments, "--out", tmp_path / "out") == 2
    assert message in one_line(capsys)


def test_a_folder_that_holds_something_else_is_refused_and_kept(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    assert ganbench("selftest", "--dataset", "digits", "--out", tmp_path) == 2
    assert "holds no self-test" in one_line(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_a_folder_with_a_self_test_of_other_settings_is_refused(published, capsys):
    before = (published / "responses.csv").read_bytes()
    assert ganbench("selftest", "--dataset", "digits", "--images", 30, "--out", published) == 2
    assert "images 30" in one_line(capsys)
    assert (published / "responses.csv").read_bytes() == before


def test_a_path_that_cannot_be_written_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert ganbench("selftest", "--dataset", "digits", "--out", tmp_path / "file" / "out") == 2
    assert "cannot be written" in one_line(capsys)


def small(digits: Dataset, keep: torch.Tensor) -> Dataset:
    train = Split(digits.train.images[keep], digits.train.labels[keep])
    return Dataset.of(digits.spec, train, digits.test)


def test_a_class_of_too_few_images_is_named(digits):
    sevens = (digits.train.labels == 7).nonzero().flatten()
    keep = torch.cat([(digits.train.labels != 7).nonzero().flatten(), sevens[:12]])
    with pytest.raises(DataError, match=r"class 7 of digits has 12 training images.* at least 44"):
        choose_count(small(digits, keep), None)


def test_a_single_class_is_refused(digits):
    with pytest.raises(DataError, match="1 class: the self-test lets classes vanish"):
        choose_count(small(digits, (digits.train.labels == 3).nonzero().flatten()), None)


# --- The parts ---


@pytest.fixture(scope="module")
def splits(digits):
    return divide(digits, choose_count(digits, None), draws=5)


def test_no_image_is_in_two_parts_and_each_class_is_as_frequent_in_all(splits):
    parts = [splits.real, splits.pool, splits.held_out, splits.unseen]
    rows = torch.cat(parts)
    assert len(rows.unique()) == len(rows) == len(splits.dataset.train)
    real, pool = (torch.bincount(splits.labels[part]) for part in parts[:2])
    assert torch.equal(real, pool)
    assert int(pool.min()) == splits.count == 63


def test_a_class_without_images_is_left_out(digits):
    splits = divide(small(digits, (digits.train.labels != 4).nonzero().flatten()), 30, draws=1)
    assert splits.classes == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    drawn = known_generators(splits)[1].strengths
    assert [strength.value for strength in drawn] == list(range(9, 0, -1))


def test_no_generator_draws_an_image_twice_unless_repetition_is_its_fault(splits):
    for fault in known_generators(splits):
        for strength in fault.strengths:
            rows = strength.make(splits, 1).rows
            distinct = strength.value if fault.name == "repeated" else splits.count
            assert len(rows) == splits.count
            assert len(rows.unique()) == distinct


def test_no_generator_draws_held_out_images_and_only_memorised_ones_are_real(splits):
    for fault in known_generators(splits):
        for strength in fault.strengths:
            rows = strength.make(splits, 0).rows
            assert not torch.isin(rows, splits.held_out).any()
            copies = int(torch.isin(rows, splits.real).sum())
            expected = round(strength.value * splits.count) if fault.name == "memorised" else 0
            assert copies == expected


def test_the_most_frequent_class_of_an_imbalance_is_about_so_many_times_the_rarest(splits):
    (fault,) = (fault for fault in known_generators(splits) if fault.name == "imbalance")
    counts = torch.zeros(10)
    for draw in range(40):
        rows = fault.strengths[1].make(splits, draw).rows
        counts += torch.bincount(splits.labels[rows], minlength=10).sort()[0]
    assert fault.strengths[1].value == 5
    assert 4 < counts[-1] / counts[0] < 12  # sorted by count, so chance widens it


def test_kept_classes_are_nested_within_a_draw_and_differ_between_draws(splits):
    strengths = {strength.value: strength for strength in known_generators(splits)[1].strengths}

    def kept(k, draw):
        return set(splits.labels[strengths[k].make(splits, draw).rows].tolist())

    for draw in range(3):
        assert kept(2, draw) < kept(3, draw) < kept(7, draw)
    assert len({frozenset(kept(1, draw)) for draw in range(8)}) > 2


def test_noise_has_the_deviation_asked_for_and_is_cut_off_at_black():
    grey = torch.full((8, 1, 32, 32), 128, dtype=torch.uint8)
    noisy = add_noise(grey, 16, torch.Generator().manual_seed(0)).float()
    assert noisy.std() == pytest.approx(16, rel=0.03)
    assert noisy.mean() == pytest.approx(128, abs=1)
    assert add_noise(grey * 0, 16, torch.Generator().manual_seed(0)).min() == 0


def test_blur_spreads_a_point_into_a_gaussian_of_that_width():
    point = torch.zeros(1, 1, 41, 41, dtype=torch.uint8)
    point[0, 0, 20, 20] = 255
    sharp, soft = (blur(point, share).float()[0, 0] for share in (0.001, 2 / 41))
    assert sharp[20, 20] == 255
    assert soft[20, 20] == pytest.approx(255 / (2 * math.pi * 4), abs=1)
    assert soft[20, 22] / soft[20, 20] == pytest.approx(math.exp(-0.5), abs=0.1)


def test_blur_of_images_smaller_than_its_kernel_stays_an_image():
    images = torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8)
    assert blur(images, 0.9).shape == images.shape


def test_lost_contrast_shrinks_the_spread_and_keeps_the_mean():
    images = torch.randint(0, 256, (4, 1, 16, 16), generator=torch.Generator().manual_seed(0))
    images = images.to(torch.uint8)
    flat = lose_contrast(images, 0.75).float()
    assert float(flat.std()) == pytest.approx(float(images.float().std() / 4), rel=0.05)
    assert float(flat.mean()) == pytest.approx(float(images.float().mean()), abs=1)


# --- The verdicts ---


CONTROL = [0.50, 0.52, 0.48, 0.51, 0.49]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("recall", [0.1, 0.2, 0.1], "sees"),
        ("recall", [0.9, 0.8, 0.9], "misled"),
        ("recall", [0.5, 0.49, 0.51], "blind"),
        ("fid", [0.9, 0.8, 0.9], "sees"),
        ("fid", [0.1, 0.2, 0.1], "misled"),
        ("fid", [0.1, 0.2, 9.0], "varies"),  # the draws disagree
        ("memorisation", [0.0, 1.9, 1.0], "varies"),
        ("density", [0.9, 1.0, 1.1], "misled"),
        ("density", [0.1, 0.1, 1.9], "sees"),
    ],
)
def test_worse_beyond_chance_is_seen_and_better_is_misled(name, values, expected):
    standardised, detection = detect(metric(name), values, CONTROL)
    assert detection == expected
    assert (standardised > 0) == (expected == "sees") or expected in ("blind", "varies")


def test_a_metric_that_never_varied_on_the_control_sees_any_change():
    assert detect(metric("modes_covered"), [9, 9], [10, 10, 10]) == (math.inf, "sees")
    assert detect(metric("modes_covered"), [10, 10], [10, 10, 10]) == (0, "blind")


def test_chance_leaves_the_band_as_rarely_as_promised():
    random = np.random.default_rng(0)
    control, new = random.standard_normal((200_000, 8)), random.standard_normal((200_000, 5))
    distance = abs(new.mean(1) - control.mean(1)) / control.std(1, ddof=1)
    assert (distance > band(8, 5)).mean() == pytest.approx(0.001, abs=0.0003)


def test_the_request_for_more_images_than_a_class_has_is_a_usage_error(digits):
    with pytest.raises(UsageError, match="--images 1000 cannot be"):
        choose_count(digits, 1000)


def test_importing_the_package_loads_nothing_heavy():
    import subprocess
    import sys

    program = "import sys, ganbench.selftest; print({'torch', 'pandas'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()"


class Inception(torch.nn.Module):
    """Stands for inception: vectors and logits from pixels, by fixed random weights."""

    def __init__(self):
        super().__init__()
        self.weights = torch.randn(3 * 8 * 8, 1008, generator=torch.Generator().manual_seed(0))

    def forward(self, images):
        logits = images.flatten(1).float() / 255 @ self.weights
        return logits[:, :16].relu(), logits


def test_with_inception_its_own_score_is_measured_too(digits, digits_backbone, tmp_path):
    splits = divide(digits, 30, draws=1)
    backbone = replace(digits_backbone, name="inception", hash="double", network=Inception())
    scorer = Scorer.of(splits, backbone, tmp_path, ignore_progress)
    faults = [fault for fault in known_generators(splits) if fault.name in ("repeated", "noise")]
    table = scorer.measure(faults, controls=3, draws=1, report=ignore_progress)
    assert table["inception_score"].notna().all()
    assert scorer.protocol.backbone == "inception"
    assert scorer.protocol.fake_count == scorer.protocol.neighbour_count == 30
    outcome = outcome_of(table, faults, {})
    one_image = outcome.verdict("inception_score", "repeated").answers[-1]
    assert one_image.mean == pytest.approx(1, abs=1e-5)
    assert one_image.standardised > 3
    assert {entry.name for entry in outcome.absent} == {
        "prompt_alignment",
        "intra_fid",
        "fid_infinity",
        "high_quality",
        "manifold_precision",
        "manifold_recall",
    }
