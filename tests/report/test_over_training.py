"""Scores during training in a report: targets, moments, and a chart."""

from __future__ import annotations

import dataclasses

import pytest
import results_doubles as doubles

from ganbench.report import build
from ganbench.report.over_training import targets

HEAD = "step,epoch,images_seen,seconds,fid,modes_covered,coverage\n"


@pytest.mark.parametrize(
    ("first", "lowest", "expected"),
    [
        ([130.0], [7.0], [100, 50, 20, 10]),
        ([130.0, 60.0], [70.0, 30.0], [100, 50]),
        ([5.0], [4.9], []),  # there from the start, or never
        ([0.9], [0.04], [0.5, 0.2, 0.1, 0.05]),
        ([], [], []),
    ],
)
def test_targets_are_round_and_neither_reached_at_once_nor_never(first, lowest, expected):
    assert targets(first, lowest) == pytest.approx(expected)


def moment(step: int, fid: float) -> dict[str, object]:
    place = {"step": step, "epoch": 1.0, "images_seen": step * 10, "seconds": step / 2}
    return {**place, "scores": {"fid": fid}}


def test_a_report_has_the_best_moment_the_gap_and_the_time_to_targets(tmp_path):
    collapsed = {"step": 40, "epoch": 1.0, "images_seen": 400, "seconds": 20.0}
    fields = {"fake_count": 5000}
    runs = []
    for seed, (best, last) in enumerate([(14.0, 16.0), (15.0, 19.0)]):
        over_training = {
            "evaluations": 3, "chosen_by": "fid", "protocol": "abc", "protocol_fields": fields,
            "best": moment(20, best), "last": moment(40, last), "gap": last - best,
            "collapsed": collapsed if seed else None,
        }  # fmt: skip
        runs.append(dataclasses.replace(doubles.result(seed=seed), over_training=over_training))
    folder = doubles.write(tmp_path, runs, files=False)
    tables = ("10,1,100,5,60,3,0.1\n20,1,200,10,14,9,0.4\n40,1,400,20,16,9,0.4\n",
              "10,1,100,7,80,2,0.1\n20,1,200,14,25,8,0.3\n40,1,400,28,19,2,0.2\n")  # fmt: skip
    for run, text in zip(runs, tables, strict=True):
        (folder / "runs" / run.run_id / "scores.csv").write_text(HEAD + text, encoding="utf-8")
    build([folder])
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "14.5 ± 0.7" in readme  # best
    assert "3 ± 1.41" in readme  # gap
    assert "by 400 images 1 of 2 seeds" in readme
    assert "FID (classifier) ≤ 20" in readme
    assert "19 s ± 12.7 (300 images)" in readme  # 10 s and 28 s; at 200 and 400 images
    assert (folder / "charts" / "over-training-mnist.png").stat().st_size > 0
    header, *rows = (folder / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert "fid_gap" in header.split(",")
    assert len(rows) == 2


def test_modes_that_were_never_there_are_not_called_never_collapsed(tmp_path):
    fields = {"fake_count": 5000}
    base = {
        "evaluations": 2, "chosen_by": "fid", "protocol": "abc", "protocol_fields": fields,
        "best": moment(20, 14.0), "last": moment(40, 14.0), "gap": 0.0,
    }  # fmt: skip
    place = {"step": 10, "epoch": 1.0, "images_seen": 100, "seconds": 5.0}
    stored = {**place, "from_start": True, "most": 1.0, "total": 10.0}
    lost = {**place, "images_seen": 400, "from_start": False, "most": 9.0, "total": 10.0}
    by_variant = {"mlp": [stored, stored], "texthash": [stored, lost], "dcgan": [None, None]}
    runs = [
        dataclasses.replace(doubles.result(v, s), over_training={**base, "collapsed": one})
        for v, some in by_variant.items()
        for s, one in enumerate(some)
    ]
    folder = doubles.write(tmp_path, runs, files=False)
    older = folder / "runs" / runs[-1].run_id / "scores.csv"  # stored before this was known
    older.write_text(HEAD + "10,1,100,5,60,2,0.1\n20,1,200,10,14,3,0.4\n", encoding="utf-8")
    build([folder])
    table = (folder / "README.md").read_text(encoding="utf-8").split("### Best and last moment")[1]
    table = table.split("###")[0]
    ends = {line.split("|")[1].strip(): line for line in table.splitlines() if line[:2] == "| "}
    assert "from the start (at most 1 of 10 modes) 2 of 2 seeds |" in ends["mlp"]
    assert (
        "by 400 images 1 of 2 seeds; from the start (at most 1 of 10 modes) 1 of 2 seeds |"
        in (ends["texthash"])
    )
    assert "from the start (at most 3 of 10 modes) 1 of 2 seeds |" in ends["dcgan"]


def test_a_report_without_scores_during_training_has_no_such_table(tmp_path):
    folder = doubles.write(tmp_path, [doubles.result()], files=False)
    build([folder])
    assert "Best and last moment" not in (folder / "README.md").read_text(encoding="utf-8")
    assert not list((folder / "charts").glob("over-training-*"))
