"""The text of a self-test: cells, sentences, and the terminal's table."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from ganbench.report import columns
from ganbench.report.facts import software_line
from ganbench.report.formatting import number
from ganbench.selftest.expectations import expectations_of, shortfalls
from ganbench.selftest.outcome import CONFIDENCE, band
from ganbench.visible import visible

if TYPE_CHECKING:
    from ganbench.scoring.metrics.catalogue import Metric
    from ganbench.selftest.known_generators import Fault
    from ganbench.selftest.outcome import Answer, Outcome, Verdict

__all__ = ["OutcomeText", "deviations", "expectation_lines", "sanity_lines", "verdict_table"]

_TITLE_LETTERS = 13  # so that the table fits 80 columns
_STYLES = {"sees": "green", "blind": "dim", "varies": "yellow", "misled": "bold red"}
_WORSE = {"lower": "higher", "higher": "lower", "one": "further from 1"}


@dataclass(frozen=True)
class OutcomeText:
    """The texts of an outcome that its README shows."""

    outcome: Outcome

    @property
    def chance(self) -> str:
        """The band beyond which a mean is beyond chance."""
        record = self.outcome.record
        wide = band(record["controls"], record["draws"])
        return (
            f"{wide:.2f} standard deviations of the control around its mean, which hold "
            f"{CONFIDENCE:.1%} of the means of {record['draws']} new control draws by chance"
        )

    @property
    def software(self) -> str:
        """Versions, platform, threads and commit."""
        return software_line([self.outcome.record["environment"]])

    @property
    def expectations(self) -> tuple[str, ...]:
        """Which expectations were not met, or that all were."""
        return expectation_lines(self.outcome)

    def heading(self, metric: Metric) -> str:
        """The metric's title with its direction, and the backbone where it matters."""
        column = columns.column(metric.name)
        return f"{column.heading(self.outcome.backbone)} {column.arrow}"

    def cell(self, metric: Metric, fault: Fault) -> str:
        """The verdict of one metric on one fault, with the standardised answer."""
        verdict = self.outcome.verdict(metric.name, fault.name)
        if verdict is None:
            return ""
        size = deviations(verdict.answers[-1].standardised)
        emphasis = "**" if verdict.detection == "misled" else ""
        parts = [f"{emphasis}{verdict.detection}{emphasis}", verdict.arrow, size]
        return " ".join(filter(None, parts))

    def value(self, metric: Metric, fault: str, strength: float) -> str:
        """A metric's mean at one strength."""
        verdict = self.outcome.verdict(metric.name, fault)
        for answer in verdict.answers if verdict else ():
            if answer.strength == strength:
                return _shown(answer.mean, metric)
        return ""

    def control(self, metric: Metric) -> str:
        """A metric's mean and standard deviation on the control."""
        verdict = next(item for item in self.outcome.verdicts if item.metric is metric)
        return f"{_shown(verdict.control, metric)} ± {number(verdict.deviation)}"

    def title(self, name: str) -> str:
        """The label of a score, without the backbone of the images."""
        return columns.column(name).label

    def sanity_cell(self, metric: str, name: str) -> str:
        """Whether a score passes a sanity check, and how many criteria it does not meet."""
        verdicts = self.outcome.sanity.of(metric, name) if self.outcome.sanity else []
        failed = sum(len(verdict.failed) for verdict in verdicts)
        asked = sum(verdict.asked for verdict in verdicts)
        return (f"fail {failed}/{asked}" if failed else "pass") if verdicts else ""

    def sanity_settings(self, name: str) -> str:
        """What the fake points of a check do, with the settings it has."""
        verdicts = self.outcome.sanity.verdicts if self.outcome.sanity else ()
        checks = [verdict.check for verdict in verdicts if verdict.check.name == name]
        settings = ", ".join(dict.fromkeys(check.setting for check in checks if check.setting))
        whats = "; or ".join(dict.fromkeys(check.what for check in checks))
        return f"{whats} ({settings})" if settings else whats

    def sentence(self, metric: Metric) -> str:
        """Which faults a metric sees, is blind to and is misled by, as one sentence."""
        verdicts = [item for item in self.outcome.verdicts if item.metric is metric]
        parts = {
            "sees": [_seen(item) for item in verdicts if item.detection == "sees"],
            "varies with the draw for": [
                item.fault for item in verdicts if item.detection == "varies"
            ],
            "blind to": [item.fault for item in verdicts if item.detection == "blind"],
            "misled by": [item.fault for item in verdicts if item.detection == "misled"],
        }
        strongest = "; ".join(
            f"{name} {', '.join(faults)}" for name, faults in parts.items() if faults
        )
        between = [
            f"{item.fault} at {_labels(item.misled_at)}"
            for item in verdicts
            if item.misled_at and item.detection != "misled"
        ]
        weaker = f"; at weaker strengths it is misled by {', '.join(between)}" if between else ""
        return f"worse is {_WORSE[metric.direction]}: {strongest}{weaker}."


def expectation_lines(outcome: Outcome) -> tuple[str, ...]:
    """That all expectations were met, or a warning for each that was not."""
    count, missed = sum(1 for _ in expectations_of(outcome)), shortfalls(outcome)
    if not missed:
        return (f"all {count} expectations of these scores are met",)
    return tuple(f"warning: {sentence}" for sentence in missed)


def sanity_lines(outcome: Outcome) -> tuple[str, ...]:
    """How many of the sanity checks each score passes, for the terminal; empty without them."""
    if outcome.sanity is None:
        return ()
    tallies = {name: outcome.sanity.tally(name) for name in outcome.sanity.metrics}
    parts = [
        f"{columns.column(name).label} {passed} of {asked}"
        for name, (passed, asked) in tallies.items()
    ]
    line = (
        f"sanity checks passed on feature clouds: {', '.join(parts)}; a check that is failed is a "
        "finding on the score, see README.md"
    )
    return (line,)


def deviations(value: float) -> str:
    """A standardised answer: `+1.5`, `-12`, `+1,908`, `∞`."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:+.1f}" if abs(value) < 10 else f"{value:+,.0f}"  # noqa: PLR2004 - two digits


def _seen(verdict: Verdict) -> str:
    """The fault, and from which strength on it is seen where that is not the weakest."""
    first = verdict.sees_from
    fault = f"{verdict.fault} {verdict.arrow}".strip()
    if first is None or len(verdict.answers) == 1:
        return fault
    return f"{fault} (from {first.label})"


def _with_arrow(verdict: Verdict) -> str:
    return f"{verdict.detection} {verdict.arrow}".strip()


def _labels(answers: tuple[Answer, ...]) -> str:
    return " and ".join(answer.label for answer in answers)


def _shown(value: float, metric: Metric) -> str:
    return f"{value:.3f}" if columns.column(metric.name).is_share else number(value)


def verdict_table(outcome: Outcome) -> Table:
    """The verdicts for `rich`: one row per metric, one column per fault at its strongest."""
    table = Table(
        title=Text(f"what each metric sees ({visible(outcome.dataset)}, {outcome.backbone})"),
        caption="each fault at its strongest\n"
        "sees: worse beyond chance, misled: better beyond chance, blind: within chance,\n"
        "varies: beyond chance on average, but some draws on the other side",
        title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD, show_edge=False,
        pad_edge=False, padding=0,
    )  # fmt: skip
    table.add_column("metric", no_wrap=True)
    for fault in outcome.faults:
        table.add_column(fault.name, no_wrap=True)
    for metric in outcome.metrics:
        cells = []
        for fault in outcome.faults:
            verdict = outcome.verdict(metric.name, fault.name)
            style = _STYLES[verdict.detection] if verdict else ""
            cells.append(Text(_with_arrow(verdict) if verdict else "", style=style))
        table.add_row(textwrap.fill(metric.title, _TITLE_LETTERS), *cells)
    return table
