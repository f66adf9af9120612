"""What the source text of a module says without running it, and how a single file is run."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import textwrap
import traceback
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["find", "inspect", "reason", "run", "text_hash"]

_LONGEST_REASON = 200  # characters


def find(module: str) -> Path | None:
    """Find the Python file of a module; neither it nor the packages around it are run.

    `importlib.util.find_spec` would import the packages around it.
    """
    folders: Sequence[str] | None = None
    origin = ""
    for name in accumulate(module.split("."), "{}.{}".format):
        spec = _find_spec(name, folders)
        if spec is None:
            return None
        folders, origin = spec.submodule_search_locations or (), spec.origin or ""
    return Path(origin) if origin.endswith(".py") else None


def _find_spec(name: str, folders: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, folders)
        if spec is not None:
            return spec
    return None


def inspect(path: Path, constant: str) -> tuple[str, str]:
    """Read a module's summary, and what would keep `constant` from being imported from it.

    Seen without running anything are: a file that cannot be read or parsed, an import at its top
    level of a package that is not installed, and a constant that is nowhere assigned.

    Returns:
        The first line of the docstring and the problem; each may be empty.
    """
    try:
        tree = ast.parse(decode_source(path.read_bytes()), filename=path.name)
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        return "", f"{type(error).__name__}: {error}"
    summary = (ast.get_docstring(tree) or "").partition("\n")[0]
    for package in _imported_packages(tree):
        if package not in sys.modules and _find_spec(package, None) is None:
            return summary, f"it imports {package}, which is not installed"
    if not _may_bind(tree, constant.partition(".")[0]):
        return summary, f"it defines no {constant}"
    return summary, ""


def _imported_packages(tree: ast.Module) -> list[str]:
    names = []
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.append(statement.module)
    return [name.partition(".")[0] for name in names]


def _may_bind(tree: ast.Module, constant: str) -> bool:
    """Whether a name may exist after the module has run; when in doubt, yes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if name == constant:
                return True
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                if name in (constant, "__getattr__"):
                    return True
            case ast.alias(name=name, asname=alias) if constant in (alias, name) or name == "*":
                return True
    return False


def text_hash(path: Path) -> str:
    """Hash a Python file's text to 16 hexadecimal digits; line endings do not matter.

    Raises:
        OSError: The file cannot be read.
        SyntaxError: Its encoding is unknown.
        UnicodeDecodeError: It is not in its encoding.
    """
    return hashlib.sha256(decode_source(path.read_bytes()).encode()).hexdigest()[:16]


class _FreshLoader(SourceFileLoader):
    """Compiles a file each time: no bytecode beside it, none from before a change is used."""

    def path_stats(self, path: str) -> Mapping[str, float]:
        raise OSError(f"{path} has no bytecode")


def run(path: Path) -> ModuleType:
    """Import a file that belongs to no package, under a name of its own; `sys.path` stays as is.

    The same text at the same place is run once a process. Whatever the file raises comes through.
    """
    path = path.resolve()
    place = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"ganbench_file_{path.stem}_{place}_{text_hash(path)}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _FreshLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic and dataclasses look up the names of their module there
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def reason(error: BaseException, path: Path) -> str:
    """Say in one line what a file's code raised, and on which of its lines."""
    kind, text = type(error).__name__, textwrap.shorten(str(error), _LONGEST_REASON)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.resolve()]
    return (f"{kind}: {text}" if text else kind) + (f" (line {lines[-1]})" if lines else "")
