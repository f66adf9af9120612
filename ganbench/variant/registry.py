"""Finding variants: built-in modules, entry points of installed packages, and files.

Listing reads source text and runs none of it, so that it is fast, needs no torch, and shows a
broken plugin with its reason. Only a variant that is asked for is imported.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ganbench.errors import UsageError, unknown
from ganbench.variant import source
from ganbench.variant.definition import Variant
from ganbench.variant.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

__all__ = [
    "ALL",
    "CONSTANT",
    "GROUP",
    "Entry",
    "Resolved",
    "entries",
    "expand",
    "installed_names",
    "resolve",
]

GROUP = "ganbench.variants"
CONSTANT = "VARIANT"
ALL = "all"

Kind = Literal["built-in", "entry point", "file"]
_CHANGED_SETTINGS: dict[str, tuple[str, ...]] = {}  # by the name of the module
_LONGEST_NAME = 150  # bytes
_OF_WINDOWS = frozenset(
    [
        "CON",
        "PRN",
        "AUX",
        "NUL",
        *(f"{port}{number}" for port in ("COM", "LPT") for number in "123456789"),
    ]
)
_NAME = re.compile(r"[^\W\d_][\w.-]*")


@dataclass(frozen=True)
class Entry:
    """A variant as `ganbench list` shows it.

    Attributes:
        name: As on the command line.
        origin: The file, or the entry point with the distribution that declares it.
        kind: How it was found.
        summary: First line of the module's docstring.
        problem: Why it cannot be used; empty where nothing is known against it.
    """

    name: str
    origin: str
    kind: Kind
    summary: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Resolved:
    """A variant that was asked for, imported.

    Attributes:
        name: As on the command line.
        variant: The module's constant.
        origin: As in `Entry`.
        source_hash: Hash of the text of the variant's module and of the neighbours that it imports;
            line endings do not matter.
        path: The file that defines it.
        changed_settings: What of torch's settings the module changed when it was imported, which
            was put back.
    """

    name: str
    variant: Variant
    origin: str
    source_hash: str
    path: Path | None = None
    changed_settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """Where a variant's constant lies; `fault` says why it cannot lie there."""

    name: str
    origin: str
    kind: Kind
    module: str = ""
    path: Path | None = None
    attribute: str = CONSTANT
    fault: str = ""


def entries() -> tuple[Entry, ...]:
    """List all built-in variants and those of installed packages, by name, broken ones included."""
    installed = _installed()
    return tuple(_entry(candidate, installed) for candidate in installed)


def installed_names() -> frozenset[str]:
    """Names of the built-in variants and those of installed packages; none of them is imported."""
    return frozenset(candidate.name for candidate in _installed())


def expand(names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Put the built-in variants and those of installed packages in the place of `"all"`.

    Args:
        names: As `resolve` takes them, or `"all"`.

    Returns:
        The names, for `resolve`; and by name why an installed variant cannot be used and was left
        out.

    Raises:
        UsageError: `"all"` is among them, and an installed variant has two origins.
    """
    names = [name.strip() for name in names]
    installed = _installed() if ALL in names else []
    _refuse_clashes(installed, installed)
    usable: list[str] = []
    broken: dict[str, str] = {}
    for candidate in installed:
        try:
            _load(candidate)
        except UsageError as error:
            broken[candidate.name] = str(error)
        else:
            usable.append(candidate.name)
    return tuple(each for name in names for each in (usable if name == ALL else [name])), broken


def resolve(names: Sequence[str]) -> tuple[Resolved, ...]:
    """Import the variants that were asked for, in the order of the request.

    Args:
        names: Names with `-` or `_` between words, or paths of Python files.

    Raises:
        UsageError: A name is unknown, asked for twice, or has two origins; or a plugin is broken.
    """
    installed = _installed()
    wanted: list[_Candidate] = []
    for name in map(str.strip, names):
        if name.endswith(".py") or "/" in name or "\\" in name:
            wanted.append(_file(name, installed))
        else:
            candidates = [each for each in installed if each.name == _spelling(name)]
            if not candidates:
                known = {candidate.name for candidate in installed}
                raise unknown("variant", name, known, "or give the path of a file, as ./mine.py")
            wanted.append(candidates[0])
    _refuse_clashes(wanted, installed)
    return tuple(map(_load, wanted))


# --- Finding -------------------------------------------------------------------------------------


def _spelling(name: str) -> str:
    return name.replace("_", "-")


def _name_fault(name: str) -> str:
    if name == ALL or not _NAME.fullmatch(name):
        return f"{name!r} is no name for a variant: use letters, digits, - and ., a letter first"
    if len(name.encode()) > _LONGEST_NAME:  # folders are named after it, with more behind it
        return f"{name[:20]!r}... is no name for a variant: use at most {_LONGEST_NAME} letters"
    if name.partition(".")[0].upper() in _OF_WINDOWS:  # its folder of results could not be copied
        return f"{name!r} is no name for a variant: Windows keeps it for a device; use another"
    return ""


def _installed() -> list[_Candidate]:
    return sorted([*_built_in(), *_entry_points()], key=lambda each: (each.name, each.origin))


def _built_in() -> list[_Candidate]:
    package = importlib.util.find_spec("ganbench.variants")
    folders = package.submodule_search_locations if package is not None else None
    files = [file for folder in folders or () for file in Path(folder).glob("*.py")]
    return [
        _Candidate(
            _spelling(file.stem), str(file), "built-in", f"ganbench.variants.{file.stem}", file
        )
        for file in files
        if not file.name.startswith("_")
    ]


def _entry_points() -> list[_Candidate]:
    candidates = []
    for point in importlib.metadata.entry_points(group=GROUP):
        distribution = point.dist.name if point.dist is not None else "unknown distribution"
        name, origin = _spelling(point.name), f"entry point {point.value} ({distribution})"
        module, path, attribute, fault = "", None, CONSTANT, _name_fault(name)
        if match := point.pattern.match(point.value):
            module, attribute = match["module"], match["attr"] or CONSTANT
            path = source.find(module)
            if path is None:
                fault = fault or f"no Python file of the module {module} can be found"
        else:
            fault = f"{point.value!r} is not of the form package.module:{CONSTANT}"
        candidates.append(_Candidate(name, origin, "entry point", module, path, attribute, fault))
    return candidates


def _file(text: str, installed: Sequence[_Candidate]) -> _Candidate:
    path, fault = Path(text.replace("\0", "\\0")), ""
    try:
        path = path.expanduser()
    except RuntimeError as error:
        fault = f"it cannot be read: {error}"
    name = _spelling(path.stem)
    for candidate in installed:  # the file of an installed variant is that variant
        if candidate.path is not None and path.resolve() == candidate.path.resolve():
            return candidate
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe is waited for
            fault = "it is no file"
        else:
            path.read_bytes()
    except OSError as error:
        fault = f"it cannot be read: {error.strerror}"
    if path.suffix != ".py":
        fault = "a variant's file ends in .py"
    fault = fault or _name_fault(name)
    return _Candidate(name, text, "file", path=path, fault=fault)


def _clash(candidate: _Candidate, others: Sequence[_Candidate]) -> str:
    origins = {other.origin for other in others if other.name == candidate.name}
    return " and ".join(sorted(origins - {candidate.origin}))


def _entry(candidate: _Candidate, installed: Sequence[_Candidate]) -> Entry:
    summary, problem = "", candidate.fault
    if candidate.path is not None:
        summary, fault = source.inspect(candidate.path, candidate.attribute)
        problem = problem or fault
    if other := _clash(candidate, installed):
        problem = problem or f"its name is also that of {other}"
    return Entry(candidate.name, candidate.origin, candidate.kind, summary, problem)


def _refuse_clashes(wanted: Sequence[_Candidate], installed: Sequence[_Candidate]) -> None:
    for index, candidate in enumerate(wanted):
        other = _clash(candidate, [*wanted, *installed])
        if other and not candidate.fault:
            raise UsageError(
                f"the variant name {candidate.name!r} has two origins: {candidate.origin} and "
                f"{other}; rename or uninstall one"
            )
        if candidate in wanted[:index]:
            raise UsageError(f"variant {candidate.name!r} is asked for twice; name each once")


# --- Loading -------------------------------------------------------------------------------------


def _refusal(candidate: _Candidate, reason: str) -> UsageError:
    place = "" if candidate.kind == "file" else f"{candidate.name!r}, "
    return UsageError(f"variant {place}{candidate.origin} cannot be used: {reason}")


def _load(candidate: _Candidate) -> Resolved:
    path = candidate.path
    if candidate.fault or path is None:
        raise _refusal(candidate, candidate.fault)
    try:
        digest = source.identity(path)
        module = _imported(candidate, path)
    except (Exception, SystemExit) as error:  # a plugin's code may raise anything
        raise _refusal(candidate, source.reason(error, path)) from error
    try:
        variant = attrgetter(candidate.attribute)(module)
    except AttributeError as error:
        raise _refusal(candidate, f"it defines no {candidate.attribute}") from error
    if not isinstance(variant, Variant):
        raise _refusal(
            candidate, f"its {candidate.attribute} is no ganbench.Variant: {variant!r:.80}"
        )
    recipe: object = variant.recipe
    if not isinstance(recipe, Recipe):
        raise _refusal(candidate, f"its recipe is no ganbench.Recipe: {recipe!r:.80}")
    changed = _CHANGED_SETTINGS.get(module.__name__, ())
    return Resolved(candidate.name, variant, candidate.origin, digest, path, changed)


def _imported(candidate: _Candidate, path: Path) -> ModuleType:
    """Import a variant's module, and put back what that changes of torch's settings."""
    from ganbench.machine.torch_settings import preserved_settings, settings

    before = settings()
    with preserved_settings():
        if candidate.kind == "file":
            module = source.run(path)
        else:
            module = importlib.import_module(candidate.module)
        after = settings()
    changed = tuple(name for name, value in before.items() if after[name] != value)
    _CHANGED_SETTINGS.setdefault(module.__name__, changed)  # a module is run once
    return module
