"""The command line. Heavy packages load in the commands that need them, so that help is quick."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import threading
from contextlib import suppress
from typing import Annotated, Any

import typer

from ganbench.cli.check import check
from ganbench.cli.compare import compare
from ganbench.cli.export import export
from ganbench.cli.help import HelpfulCommand
from ganbench.cli.list import list_
from ganbench.cli.new import new
from ganbench.cli.options import FAILED, INTERRUPTED, OK, USAGE, without_fresh
from ganbench.cli.play import play
from ganbench.cli.report import report
from ganbench.cli.run import EXAMPLES, run
from ganbench.cli.sample import sample
from ganbench.cli.score import score
from ganbench.cli.selftest import selftest
from ganbench.cli.throughput import throughput
from ganbench.cli.tune import EXAMPLES as TUNE_EXAMPLES
from ganbench.cli.tune import tune
from ganbench.errors import GanbenchError, UsageError
from ganbench.machine import made_folders
from ganbench.machine.interrupt import Stopped, sigterm_stops
from ganbench.machine.openmp import bound_spinning
from ganbench.visible import visible

__all__ = ["app", "main", "script"]

app = typer.Typer(
    name="ganbench",
    help="Compare GAN variants: image quality, mode collapse and speed, under one runner.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


_COLLECTED_AFTER = (20_000, 10, 10)  # new objects, and looks at those and at older ones


class _Command(HelpfulCommand):
    """A command whose interrupt comes through: typer would end with 130 and say nothing."""

    def invoke(self, ctx: Any) -> Any:
        """Carry out the command.

        Raises:
            Stopped: Ctrl-C was pressed, and the command does not handle it itself.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Stopped from error


@app.callback(invoke_without_command=True)
def _version(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        import ganbench

        typer.echo(f"ganbench {ganbench.__version__}")
        raise typer.Exit(OK)


app.command("list", cls=_Command)(list_)
app.command(cls=_Command, epilog=EXAMPLES)(run)
app.command(cls=_Command, epilog=TUNE_EXAMPLES)(tune)
for _command in (check, new, report, compare, throughput, selftest, sample, score, export, play):
    app.command(cls=_Command)(_command)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; every mistake of the user ends in one line and exit code 2."""
    try:
        code = _exit_code(arguments)
    except (KeyboardInterrupt, Stopped, typer.Abort):  # also while an error is being shown
        text = _advice("interrupted; the same command goes on where it was", arguments)
        typer.echo(f"ganbench: {text}", err=True)
        code = INTERRUPTED
    sys.exit(code)


def script() -> None:
    """Run the command line in a process of its own, and end it.

    Most objects that it makes stay, so that unreachable ones are looked for less often than Python
    would. Python itself takes seconds to end where torch is loaded, as it takes everything apart
    piece by piece. Here the functions that wait for the end are called, and the system does the
    rest.
    """
    gc.set_threshold(*_COLLECTED_AFTER)
    try:
        main()
    except SystemExit as end:
        others = [thread for thread in threading.enumerate() if not thread.daemon]
        if others != [threading.main_thread()] or not isinstance(end.code, int | None):
            raise
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no other way to call them
        with suppress(OSError, ValueError):  # nobody listens any more
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code or OK)
        raise


def _exit_code(arguments: list[str] | None) -> Any:
    given = sys.argv[1:] if arguments is None else arguments
    try:
        bound_spinning()
        _show_anything()
        made_folders.forget()
        _refuse_empty(given)
        with sigterm_stops():
            return app(arguments, standalone_mode=False)
    except typer.TyperException as error:  # a flag that is unknown, or a value it cannot take
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        message = visible(message + _value_given(error, given))
        context = getattr(error, "ctx", None)
        command = f"ganbench {context.info_name}" if context and context.parent else "ganbench"
        typer.echo(f"ganbench: {message} ({command} --help shows what there is)", err=True)
        return USAGE
    except UsageError as error:
        made_folders.remove_empty()
        typer.echo(f"ganbench: {_advice(str(error), given)}", err=True)
        return USAGE
    except GanbenchError as error:
        typer.echo(f"ganbench: {_advice(str(error), given)}", err=True)
        return FAILED
    except OSError as error:  # a full disk, or something that is gone or protected
        text = " ".join(str(error).split())
        text = _advice(f"{text}; once that is mended, the same command goes on", given)
        typer.echo(f"ganbench: {text}", err=True)
        return USAGE


def _advice(text: str, arguments: list[str] | None) -> str:
    """A message as it has to be for the arguments that were given."""
    given = sys.argv[1:] if arguments is None else arguments
    return without_fresh(text, fresh="--fresh" in given)


def _show_anything() -> None:
    """Let no output fail for want of a character, and no chart for want of a screen."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a caller may have put anything in its place
            stream.reconfigure(errors="backslashreplace")
    os.environ["MPLBACKEND"] = "agg"  # matplotlib refuses to load where it names one it lacks


def _value_given(error: Exception, arguments: list[str]) -> str:
    """The value of the flag that an error is about, for its message; empty where there is none."""
    names = getattr(getattr(error, "param", None), "opts", ())
    for given, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = given.partition("=")
        if name in names:
            return f"; {(value if equals else following)!r} was given"
    return ""


def _refuse_empty(arguments: list[str]) -> None:
    """Refuse empty texts: as a path they would mean the working directory.

    Raises:
        UsageError: One was given.
    """
    for before, given in zip(["", *arguments], arguments, strict=False):
        name, equals, value = given.partition("=")
        if not given or (name.startswith("--") and equals and not value):
            flag = name if equals else before if before.startswith("-") else "an argument"
            raise UsageError(f"'' was given for {flag}: give a value, or leave it out")


if __name__ == "__main__":
    script()
