import dataclasses
import json
import re
import shutil
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
import results_doubles as doubles
from command_line import ganbench, one_line
from rich.console import Console

from ganbench.errors import UsageError
from ganbench.report import build, summary_table
from ganbench.report.charts import all_charts
from ganbench.report.content import content_of
from ganbench.report.gather import gather
from ganbench.report.page import page
from ganbench.scoring.protocol import short_hash

NAMES = ("runs.csv", "summary.csv", "ranking.csv", "README.md")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    path = tmp_path_factory.mktemp("results")
    runs = [doubles.result(v, s) for v in ("mlp", "texthash") for s in (0, 1)]
    doubles.write(path, [*runs, doubles.failed("dcgan")], title="Two against one")
    (path / "notes.md").write_text("The digits are **sharp** <b>here</b>.\n\n- a point\n")
    assert build([path]) == path
    return path


def test_a_report_is_complete_and_small(built):
    charts = sorted(file.name for file in (built / "charts").iterdir())
    assert charts == [
        f"{name}-mnist.png"
        for name in ("classes", "losses", "phases", "quality", "samples", "throughput", "tradeoff")
    ]
    files = [file for file in built.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 5e6


def test_building_again_from_a_copy_gives_the_same_bytes(tmp_path, built):
    copy = tmp_path / "elsewhere"
    shutil.copytree(built, copy)
    for name in (*NAMES, "report.html"):
        (copy / name).unlink()
    shutil.rmtree(copy / "charts")
    build([copy])
    made = [file.relative_to(built) for file in (built / "charts").iterdir()]
    for name in (*NAMES, "report.html", *made):
        assert (copy / name).read_bytes() == (built / name).read_bytes()


def test_readme_says_what_was_run_where_how_and_the_findings(built):
    text = (built / "README.md").read_text()
    assert text.startswith("# Two against one\n")
    for part in (
        "Imaginary CPU 9000", "`ganbench run --variants mlp,dcgan", "25epochs", "torch 2.14.1",
        "## Findings\n\nThe digits are **sharp** <b>here</b>.\n\n- a point", "FID (classifier) ↓",
        "Recall ↑",
        "10,000 generated images against 60,000 real ones",
    ):  # fmt: skip
        assert part in text
    assert "None" not in text
    assert "nan" not in text.replace("ganbench", "")


@pytest.mark.parametrize("name", ["judge_accuracy", "classifier_accuracy"])
def test_the_classifiers_accuracy_is_read_under_its_old_and_its_present_name(tmp_path, name):
    run = doubles.result()
    fields = {**run.protocol_fields}
    fields[name] = fields.pop("classifier_accuracy")
    run = dataclasses.replace(run, protocol_fields=fields)
    text = doubles.readme_of(doubles.write(tmp_path, [run], files=False))
    assert "classifier that is right for 98.9% of the test split" in text


def test_readme_lists_failed_runs_with_their_reason_and_keeps_the_table_whole(built):
    (line,) = [
        line for line in (built / "README.md").read_text().splitlines() if "out of memory" in line
    ]
    assert r"memory \| while" in line
    assert "| failed |" in line


def test_every_table_of_the_readme_has_as_many_cells_in_each_row(built):
    text = (built / "README.md").read_text()
    for block in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.M):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(counts) == 1, block


def test_pictures_of_the_readme_are_there(built):
    links = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (built / "README.md").read_text())
    assert len(links) == 9
    assert all((built / link).is_file() for link in links)


def test_intervals_are_shown_for_several_seeds_and_not_for_one(tmp_path, built):
    assert re.search(r"± [\d.]+ \[[\d.]+, [\d.]+\]", (built / "README.md").read_text())
    assert "### Ranking" in (built / "README.md").read_text()
    one = doubles.write(tmp_path / "one", [doubles.result(class_histogram={})], files=False)
    (one / "ranking.csv").write_text("of an earlier report")
    text = (build([one]) / "README.md").read_text()
    assert "One seed: no interval" in text
    assert "±" not in text
    assert "Ranking" not in text
    assert not (one / "ranking.csv").exists()


def test_every_mean_stands_beside_the_runs_that_completed(tmp_path):
    runs = [doubles.result("mlp", seed) for seed in range(3)]
    runs += [doubles.result("dcgan", 0), doubles.failed("dcgan", 1), doubles.failed("texthash", 0)]
    runs[1].scores["kid"] = 0.5
    folder = build([doubles.write(tmp_path, runs, files=False)])
    text = (folder / "README.md").read_text(encoding="utf-8")
    quality = text.split("### Quality and diversity")[1].split("###")[0]
    assert "| mlp | 3 of 3 |" in quality
    assert "| dcgan | 1 of 2 |" in quality
    assert "| texthash | 0 of 1 |" in quality
    assert "dcgan completed 1 of 2, texthash completed 0 of 1 seeds" in text
    assert "| 0.500 (1 of 3 seeds) |" in text.split("### Further scores")[1]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<td>3 of 3</td>" in page
    assert "<small>(1 of 3 seeds)</small>" in page
    shown = printed(folder, 200)
    assert "3 of 3 ok" in shown
    assert "1 of 2 ok" in shown


def test_the_pages_state_the_families_and_how_intervals_and_verdicts_agree(built):
    for name in ("README.md", "report.html"):
        text = (built / name).read_text(encoding="utf-8")
        assert "primary, FID (classifier): 1 test; secondary," in text
        assert "excludes 0 exactly where the pair is resolved" in text.replace("\n", " ")


def test_a_moving_average_is_named_where_some_have_it(tmp_path):
    runs = [doubles.result("mlp", ema=False), doubles.result("dcgan", ema=True)]
    text = doubles.readme_of(doubles.write(tmp_path / "a", runs, files=False))
    assert "Where a generator keeps a moving average of its weights" in text
    (quality,) = text.split("### Quality and diversity")[1:]
    assert "| Variant | Seeds | Moving average |" in quality
    assert "| mlp | 1 of 1 | no |" in quality
    assert "| dcgan | 1 of 1 | yes |" in quality
    assert "average" in printed(tmp_path / "a", 200)
    text = doubles.readme_of(doubles.write(tmp_path / "b", runs[:1], files=False))
    assert "oving average" not in text


def test_a_stored_result_keeps_its_table_whether_or_not_it_had_a_moving_average(tmp_path):
    runs = []
    for variant, averaged in (("mlp", False), ("dcgan", True)):
        run = doubles.result(variant)
        fields = {**run.protocol_fields, "ema": averaged}
        del fields["prompt_image_limit"]  # results of that time had none
        named = {
            f"judge_{key[11:]}" if key.startswith("classifier_") else key: value
            for key, value in fields.items()
            if key != "modes_rule"  # no field in results of that time
        }
        runs.append(dataclasses.replace(run, protocol=short_hash(named), protocol_fields=named))
    assert runs[0].protocol != runs[1].protocol
    results = gather([doubles.write(tmp_path, runs, files=False)])
    assert len(results.groups) == 1
    assert [record.ema for record in results.records] == [False, True]


def test_unequal_budgets_are_named_beside_the_tables(tmp_path):
    budgets = {"mlp": "3s", "dcgan": "3steps", "texthash": "3s"}
    runs = [doubles.result(variant, budget=budget) for variant, budget in budgets.items()]
    text = doubles.readme_of(doubles.write(tmp_path / "a", runs, files=False))
    assert "Budgets differ: 3s for mlp, texthash; 3steps for dcgan." in text
    assert "rankings and verdicts are only made between variants of equal budget" in text
    text = doubles.readme_of(doubles.write(tmp_path / "b", runs[::2], files=False))
    assert "Budgets differ" not in text


class _Outside(HTMLParser):
    """Collects every address that a page would load."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.addresses += [values[k] for k in ("src", "srcset", "data", "poster") if values.get(k)]
        if tag == "link":
            self.addresses.append(values["href"])


def test_the_page_needs_nothing_but_itself(built):
    text = (built / "report.html").read_text()
    parser = _Outside()
    parser.feed(text)
    assert len(parser.addresses) > 2
    assert all(a == "data:," or a.startswith("data:image/") for a in parser.addresses)
    assert set(re.findall(r"url\(([^)]{1,2})", text)) <= {"#d"}  # parts of charts
    assert "@import" not in text
    assert "color-scheme: light dark" in text


def test_notes_on_the_page_are_rendered_and_cannot_bring_their_own_html(built):
    text = (built / "report.html").read_text()
    assert "<strong>sharp</strong> &lt;b&gt;here&lt;/b&gt;" in text
    assert "<li>a point</li>" in text


def test_a_reason_cannot_break_the_page(tmp_path):
    run = doubles.failed(reason="<script>alert(1)</script>")
    text = (build([doubles.write(tmp_path, [run])]) / "report.html").read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_folder_of_which_all_runs_failed_has_a_report(tmp_path):
    build([doubles.write(tmp_path, [doubles.failed(), doubles.failed("mlp")])])
    text = (tmp_path / "README.md").read_text()
    assert "nothing to compare" in text
    assert text.count("out of memory") == 2
    assert list((tmp_path / "charts").iterdir()) == []


def test_missing_histories_samples_and_scores_leave_out_what_they_would_show(tmp_path):
    run = doubles.result(
        scores={},
        class_histogram={},
        protocol="",
        protocol_fields={},
        backbone="",
        phase_seconds={},
    )
    build([doubles.write(tmp_path, [run], files=False)])
    assert [file.name for file in (tmp_path / "charts").iterdir()] == ["throughput-mnist.png"]


def test_damaged_histories_and_pictures_do_not_stop_a_report(tmp_path):
    doubles.write(tmp_path, [doubles.result(), doubles.result("mlp")])
    first, second = sorted((tmp_path / "runs").iterdir())
    (first / "history.csv").write_text("step,d_loss\n1,oops\n")
    (second / "history.csv").write_bytes(b"")
    for file in first.glob("samples/*.png"):
        file.write_bytes(b"no picture")
    build([tmp_path])
    assert not (tmp_path / "charts" / "losses-mnist.png").exists()
    assert (tmp_path / "charts" / "samples-mnist.png").exists()


def test_charts_that_are_not_drawn_any_more_are_removed_and_others_stay(tmp_path):
    doubles.write(tmp_path, [doubles.failed()])
    (tmp_path / "charts").mkdir()
    for name in ("losses-mnist.png", "mine.png"):
        (tmp_path / "charts" / name).write_bytes(b"old")
    build([tmp_path])
    assert [file.name for file in (tmp_path / "charts").iterdir()] == ["mine.png"]


@pytest.mark.slow
def test_several_folders_are_joined_into_a_new_one_that_links_to_their_pictures(tmp_path):
    first = doubles.write(tmp_path / "a", [doubles.result()])
    digits = doubles.write(tmp_path / "digits", [doubles.result(dataset="digits")], files=False)
    out = build([first, digits], tmp_path / "joined")
    text = (out / "README.md").read_text()
    assert "## mnist" in text
    assert "## digits" in text
    assert "Folder: `digits`" in text
    links = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert all((out / link).is_file() for link in links)


def test_several_folders_without_a_place_to_write_are_refused(tmp_path, built):
    other = doubles.write(tmp_path / "a", [doubles.result(dataset="digits")], files=False)
    with pytest.raises(UsageError, match="--out"):
        build([built, other])


def test_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path):
    results = doubles.write(tmp_path / "a", [doubles.result()], files=False)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="cannot be written"):
        build([results], tmp_path / "file")


def printed(path, width):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(summary_table(path))
    console.file.close()
    return console.export_text()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_terminal_table_shows_every_variant_and_cuts_no_word(built, width):
    text = printed(built, width)
    assert "…" not in text
    assert all(len(line) <= width for line in text.splitlines())
    for part in (
        "mlp",
        "texthash",
        "dcgan",
        "failed",
        "2 of 2 ok",
        "(classifier)",
        "4,690",
        "recall ↑",
    ):
        assert part in text


def test_the_terminal_table_drops_columns_that_are_wholly_empty(tmp_path):
    doubles.write(tmp_path, [doubles.result("mlp")], files=False)
    assert "alignment" not in printed(tmp_path, 200)


def test_the_terminal_shows_one_table_per_group(tmp_path):
    runs = [doubles.result(dataset="mnist"), doubles.result(dataset="digits")]
    text = printed(doubles.write(tmp_path, runs, files=False), 200)
    assert text.count("variant") == 2
    assert "digits" in text


def test_runs_that_were_made_with_unequal_threads_are_said_to_be(tmp_path):
    runs = [
        doubles.result(variant, environment={"threads": threads, "versions": {"torch": "2.14.1"}})
        for variant, threads in (("mlp", 2), ("dcgan", 1))
    ]
    text = doubles.readme_of(doubles.write(tmp_path / "unequal", runs, files=False))
    assert "Conditions differ: threads 2 for mlp, 1 for dcgan." in text
    equal = doubles.readme_of(doubles.write(tmp_path / "equal", runs[:1], files=False))
    assert "Conditions differ" not in equal


def test_what_was_left_out_of_an_image_folder_is_once_in_the_readme_and_once_on_the_page(tmp_path):
    note = "imagefolder:x: left out: 2 hidden folders (.git, MACOSX)"
    runs = [doubles.result(seed=seed, dataset="imagefolder:x", notes=(note,)) for seed in (0, 1)]
    path = doubles.write(tmp_path / "results", runs, files=False)
    plan = json.loads((path / "plan.json").read_text(encoding="utf-8"))
    (path / "plan.json").write_text(json.dumps({**plan, "notes": [note]}), encoding="utf-8")
    assert doubles.readme_of(path).count(note) == 1
    results = gather([path])
    assert page(content_of(results, "fid"), [], path, {}).count(note) == 1


@pytest.fixture
def one_chart(monkeypatch):
    """Only the first kind of chart is drawn; the others are written alike."""
    monkeypatch.setattr(all_charts, "CHARTS", all_charts.CHARTS[:1])


@pytest.mark.slow
@pytest.mark.usefixtures("one_chart")
def test_charts_for_papers_are_written_when_asked_for_and_removed_when_not(tmp_path):
    doubles.write(tmp_path, [doubles.result()], files=False)
    assert ganbench("report", tmp_path, "--charts", "svg,pdf") == 0
    charts = {file.suffix: file for file in (tmp_path / "charts").iterdir()}
    assert set(charts) == {".png", ".svg", ".pdf"}
    assert ElementTree.parse(charts[".svg"]).getroot().tag.endswith("}svg")
    assert charts[".pdf"].read_bytes().startswith(b"%PDF-")
    before = charts[".svg"].read_bytes()
    assert ganbench("report", tmp_path, "--charts", "svg") == 0
    assert charts[".svg"].read_bytes() == before
    assert not charts[".pdf"].exists()


def test_a_format_of_charts_that_nobody_knows_is_refused_in_one_line(tmp_path, capsys):
    doubles.write(tmp_path, [doubles.result()], files=False)
    assert ganbench("report", tmp_path, "--charts", "svg,eps") == 2
    said = one_line(capsys)
    assert "unknown format of charts 'eps'" in said
    assert "allowed: pdf, png, svg" in said
