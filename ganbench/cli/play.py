"""`ganbench play`: a local page to play with trained generators."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.options import DATA_ROOT, DEVICE
from ganbench.machine.interrupt import Stopped
from ganbench.visible import visible

if TYPE_CHECKING:
    from ganbench.playground.choices import Choice

__all__ = ["play"]

_LARGEST_PORT = 65535


def play(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="RUN|DIR ...", help="Folders of runs, or results folders."),
    ],
    port: Annotated[
        int, typer.Option(min=0, max=_LARGEST_PORT, help="Port of the page; 0 takes a free one.")
    ] = 0,
    *,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address, and open no browser.")
    ] = False,
    device: Annotated[str, DEVICE] = "auto",
    variants: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The file of a run's variant, if it is not installed."),
    ] = None,
    data_root: Annotated[Path | None, DATA_ROOT] = None,
) -> None:
    """Open a page on this machine to play with trained generators."""
    from ganbench import data
    from ganbench.machine.device import choose
    from ganbench.playground.choices import find_choices
    from ganbench.playground.playground import Playground
    from ganbench.playground.server import ADDRESS, server

    files = [name.strip() for name in (variants or "").split(",") if name.strip()]
    choices, notes = find_choices(folders, files)
    chosen = choose(device)
    roots = data_root or data.default_data_root(), data.default_cache_root()
    page = server(Playground(choices, chosen, *roots), port)
    for line in [*(f"note: {note}" for note in notes), _counted(choices)]:
        typer.echo(visible(line))
    address = f"http://{ADDRESS}:{page.port}/"
    typer.echo(f"play: {address} on {chosen.kind} (Ctrl-C ends it)")
    if not no_browser:
        _open(address)
    try:
        page.serve_forever()
    except (KeyboardInterrupt, Stopped):
        typer.echo("")  # after the ^C of the terminal
    finally:
        page.server_close()


def _counted(choices: list[Choice]) -> str:
    """How many generators there are, and why some cannot be loaded."""
    problems = [choice.problem for choice in choices if choice.problem]
    said = f"{len(choices) - len(problems)} generator(s) to play with"
    if not problems:
        return said
    return f"{said}; {len(problems)} cannot be loaded, the first because {problems[0]}"


def _open(address: str) -> None:
    """Open the page in a browser where there is a screen; one in the terminal would take it."""
    import webbrowser

    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        typer.echo("no screen here: open the address in a browser on this machine")
        return
    webbrowser.open(address)
