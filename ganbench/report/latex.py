r"""summary.tex: the main tables of a report for LaTeX, one `tabular` per group with booktabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ganbench.report.content import Content, Section
    from ganbench.report.tables import Cell, Table

__all__ = ["escaped", "latex"]

_SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "±": r"$\pm$", "↓": r"$\downarrow$", "↑": r"$\uparrow$", "→": r"$\to$", "≤": r"$\leq$",
    "×": r"$\times$", "†": r"\dag{}", "‡": r"\ddag{}", "·": r"$\cdot$", "—": "---",
}  # fmt: skip
_HEAD = r"""% Made by `ganbench report`; needs \usepackage{booktabs}.
% Bold: the best of its column, and what the seeds do not resolve from it.
"""


def escaped(text: str) -> str:
    """A text as LaTeX shows it."""
    return "".join(_SIGNS.get(sign, sign) for sign in " ".join(text.split()))


def latex(content: Content) -> str:
    """The tables of quality and of speed, those of each group below each other."""
    parts = [
        _tabular(table, section)
        for section in content.sections
        for table in section.tables
        if not table.is_last and table.names
    ]
    return _HEAD + "".join(f"\n{part}" for part in parts)


def _tabular(table: Table, section: Section) -> str:
    lines = [
        f"% {escaped(table.caption)}, {escaped(section.title)}",
        rf"\begin{{tabular}}{{lr{'r' * len(table.heads)}}}",
        r"\toprule",
        _line(["Variant", "Seeds", *map(escaped, table.heads)]),
        r"\midrule",
        *(
            _line([escaped(label), f"{good} of {started}", *map(_cell, cells)])
            for label, good, started, cells in table.rows
        ),
    ]
    if table.references:
        lines.append(r"\midrule")
        lines += [
            _line([rf"\textit{{{escaped(name)}}}", escaped(count), *map(_cell, cells)])
            for name, count, cells in table.references
        ]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    """The mean with its spread, bold where it is the best."""
    text = escaped(" ".join(filter(None, (cell.mean, cell.spread))))
    return rf"\textbf{{{text}}}" if cell.is_best and text else text
