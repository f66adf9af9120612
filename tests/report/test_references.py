"""Reference rows stand below the variants, each once, and are no variants themselves."""

from __future__ import annotations

import csv
import io

import results_doubles as doubles
from rich.console import Console

from ganbench.report import build
from ganbench.report.comparison.ranking import ranking_csv
from ganbench.report.gather import gather
from ganbench.report.references import references_csv, references_of
from ganbench.report.terminal import summary_of

REAL = {"images": 10_000, "scores": {"fid": 0.03, "recall": 0.87, "modes_covered": 10}}
UNTRAINED = {"images": 9_000, "scores": {"fid": 2050.0, "recall": 0.0, "modes_covered": 0}}
NOISE = {"images": 9_000, "scores": {"fid": 1034.0, "recall": 0.0, "modes_covered": 0}}


def folder(path):
    sizes = {"mlp": "", "dcgan": " through 64×64"}
    runs = [
        doubles.result(
            variant,
            seed,
            references={
                "noise": NOISE,
                "untrained generator": UNTRAINED,
                f"held-out real images{size}": REAL,
            },
        )
        for variant, size in sizes.items()
        for seed in (0, 1)
    ]
    return doubles.write(path, runs, files=False)


def test_each_reference_stands_once_real_images_first_and_noise_last(tmp_path):
    (group,) = gather([folder(tmp_path)]).groups
    rows = references_of(group)
    assert [(row.name, row.images) for row in rows] == [
        ("held-out real images", 10_000),
        ("held-out real images through 64×64", 10_000),
        ("untrained generator", 9_000),
        ("noise", 9_000),
    ]
    assert [row.scores["fid"] for row in rows] == [0.03, 0.03, 2050.0, 1034.0]
    assert [row.short for row in rows] == ["held-out", "held-out, 64×64", "untrained", "noise"]


def test_they_are_in_a_file_of_their_own_and_in_both_pages(tmp_path):
    out = build([folder(tmp_path)])
    (real, _, untrained, noise) = csv.DictReader(io.StringIO((out / "references.csv").read_text()))
    assert (real["reference"], real["images"], real["fid"]) == (
        "held-out real images", "10000", "0.03",
    )  # fmt: skip
    assert (untrained["reference"], untrained["fid"]) == ("untrained generator", "2050.0")
    assert noise["recall"] == "0.0"
    assert noise["prompt_alignment"] == ""
    readme = (out / "README.md").read_text(encoding="utf-8")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "| *held-out real images through 64×64* | 10,000 images | 0.03" in readme
    lines = readme.splitlines()
    first = next(place for place, line in enumerate(lines) if "*held-out" in line)
    assert all(line.startswith("| ") for line in lines[first - 1 : first + 4])  # one table
    assert lines[first + 4] == ""
    assert "10 / 10" in readme
    assert "held-out real images through 64×64" in page
    assert "9,000 images" in page
    assert "untrained generator" in page
    assert "reference" not in (out / "runs.csv").read_text().splitlines()[1]


def test_they_are_not_ranked(tmp_path):
    text = ranking_csv(gather([folder(tmp_path)]), "fid")
    assert text is not None
    assert "noise" not in text
    assert "held-out" not in text


def test_the_terminal_shows_them_below_the_variants(tmp_path):
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(summary_of(folder(tmp_path)))
    lines = [line for line in console.export_text().splitlines() if line.strip()]
    names = [line.split("  ")[0].strip() for line in lines]
    assert names.index("held-out real images") > names.index("dcgan")
    (noise,) = (line for line in lines if line.startswith("noise"))
    assert "9,000 images" in noise
    assert "1,034" in noise


def test_a_comparison_without_them_has_no_file_and_no_note(tmp_path):
    out = build([doubles.write(tmp_path, [doubles.result()], files=False)])
    assert references_csv(gather([tmp_path])) is None
    assert not (out / "references.csv").exists()
    assert "Below the line" not in (out / "README.md").read_text(encoding="utf-8")


def test_a_score_that_does_not_beat_noise_is_marked_and_the_mark_explained(tmp_path):
    scores = {"fid": 2000.0, "recall": 0.5, "duplicates": 0.4, "modes_total": 10}
    noise = {"images": 9, "scores": {"fid": 1034.0, "recall": 0.1, "duplicates": 0.0}}
    real = {"images": 9, "scores": {"fid": 0.03, "recall": 0.9, "duplicates": 0.01}}
    grey = {"images": 9, "scores": {"fid": 2050.0, "recall": 0.0, "duplicates": 1.0}}
    rows = {"noise": noise, "held-out real images": real, "untrained generator": grey}
    path = doubles.write(
        tmp_path, [doubles.result("mlp", scores=scores, references=rows)], files=False
    )
    readme = doubles.readme_of(path)
    assert "2,000 ‡" in readme
    assert "0.500 ‡" not in readme
    assert "0.400 ‡" not in readme  # real images have more near-duplicates than noise, too
    assert "‡ no better than noise" in readme
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(summary_of(path))
    assert "2,000 ‡" in console.export_text()


def test_without_a_row_of_noise_nothing_is_marked(tmp_path):
    path = doubles.write(tmp_path, [doubles.result(scores={"fid": 1e9})], files=False)
    assert "‡" not in doubles.readme_of(path)
