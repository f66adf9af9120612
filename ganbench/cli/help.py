"""Help of a command: options in groups, with defaults and examples, and nothing cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from ganbench.cli.options import COMMAND, GROUPS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["HelpfulCommand"]

_WIDEST = 100  # columns, beyond which lines are tiring to read
_NAME_COLUMNS = 27
_DEFAULT = re.compile(r"\[default: \(([^()]*)\)")  # in words, which typer puts in brackets
_ARGUMENTS = "Arguments"


class HelpfulCommand(TyperCommand):
    """A command whose help has two columns: an option as it is typed, and what it means.

    Typer's own help has six, which leaves too little for the last one in a narrow terminal. The
    groups are those of `rich_help_panel`; the epilogue is printed line by line, for examples.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the library's signature
        """Print the help instead of collecting it."""
        from rich.console import Console
        from rich.padding import Padding
        from rich.text import Text

        screen = Console(markup=False, emoji=False, highlight=False)
        screen = Console(
            markup=False, emoji=False, highlight=False, width=min(screen.width, _WIDEST)
        )
        screen.print(Text.assemble(("Usage: ", "yellow"), (_usage(self, ctx), "bold")))
        for paragraph in (self.help or "").split("\n\n"):
            screen.print()
            screen.print(Padding(" ".join(paragraph.split()), (0, 0, 0, 1)))
        for title, records in _groups(self, ctx).items():
            screen.print()
            screen.print(Text(title, style="bold yellow"))
            screen.print(_table(records))
        if self.epilog:
            screen.print()
            screen.print(Text("Examples", style="bold yellow"))
            _print_examples(screen, self.epilog)


def _usage(command: HelpfulCommand, ctx: Any) -> str:
    return " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])


def _groups(command: HelpfulCommand, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """What is typed and what it means, by group; arguments first, and what has no group last."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is None:
            continue
        usual = COMMAND if param.param_type_name == "option" else _ARGUMENTS
        title = getattr(param, "rich_help_panel", None) or usual
        groups.setdefault(title, []).append(record)
    order = [_ARGUMENTS, *GROUPS]
    return {title: groups[title] for title in (*order, *groups) if title in groups}


def _table(records: list[tuple[str, str]]) -> Table:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(width=_NAME_COLUMNS, overflow="fold")
    table.add_column(overflow="fold")
    for name, meaning in records:
        text = Text(_DEFAULT.sub(r"[default: \1", meaning))
        text.highlight_regex(r"\[(default|env var|required)[^\]]*\]", style="dim")
        table.add_row(Padding(Text(name, style="cyan"), (0, 0, 0, 2)), text)
    return table


def _print_examples(screen: Console, text: str) -> None:
    for line in text.strip().splitlines():
        screen.print(f"  {line.strip()}", soft_wrap=True)
