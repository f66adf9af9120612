"""Help in a narrow terminal, its groups, and completion in the shell."""

from __future__ import annotations

import pytest
from command_line import ganbench, one_line

from ganbench.cli import options
from ganbench.cli.options import complete_dataset, complete_variants

COMMANDS = (
    "run", "list", "check", "new", "report", "compare", "throughput", "selftest", "sample",
)  # fmt: skip


@pytest.fixture(params=[60, 80])
def columns(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_of_each_command_fits_the_terminal_and_nothing_is_cut(
    command, flag, columns, capsys
):
    assert ganbench(command, flag) == 0
    text = capsys.readouterr().out
    before_examples = text.partition("Examples")[0]
    assert all(len(line.rstrip()) <= columns for line in before_examples.splitlines())
    assert "…" not in text
    assert text.startswith("Usage: ")
    assert "-h, --help" in text


def test_the_options_of_run_are_grouped_with_their_defaults_and_examples(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert ganbench("run", "-h") == 0
    text = capsys.readouterr().out
    places = [text.index(f"\n{title}") for title in (*options.GROUPS, "Examples")]
    assert places == sorted(places)
    flat = " ".join(text.split())
    assert "[default: 1: seed 0]" in flat
    assert "--inception-weights FILE" in flat
    for line in text[places[-1] :].splitlines():
        assert len(line) <= 82
        assert not line.strip() or line.startswith(("Examples", "  ganbench run "))


def test_variants_and_datasets_are_completed_by_what_was_typed():
    assert complete_variants("dcgan-d") == ["dcgan-diffaug"]
    assert complete_variants("mlp,textha") == ["mlp,texthash", "mlp,texthash-naive"]
    assert "mlp,mlp" not in complete_variants("mlp,")
    assert complete_dataset("fash") == ["fashion-mnist"]
    assert complete_dataset("imagef") == ["imagefolder:"]


def test_seed_0_alone_is_hinted_at(capsys):
    assert ganbench("run", "--variants", "mlp", "--device", "cpu", "--seeds", "0") == 2
    assert "0, (with the comma) for seed 0 alone" in one_line(capsys)


def test_keys_of_a_suite_may_be_spelt_as_flags_are_but_not_twice(tmp_path, capsys):
    from ganbench.experiment.suite import read_suite

    suite = tmp_path / "suite.yaml"
    suite.write_text("variants: mlp\nsample-every: 3steps\ncuda_graphs: false\n")
    assert read_suite(suite, {}).sample_every == "3steps"
    suite.write_text("sample-every: 3steps\nsample_every: 4steps\n")
    assert ganbench("run", suite) == 2
    assert "'sample_every' is there twice, with - and with _" in one_line(capsys)
