"""What the source text of a module says without running it, and how a single file is run."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
import traceback
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from importlib.util import decode_source, spec_from_loader
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ganbench.visible import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec

__all__ = ["find", "identity", "inspect", "neighbours", "reason", "run", "text_hash"]

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
        beside = (path.parent / f"{package}.py").is_file()
        if not beside and package not in sys.modules and _find_spec(package, None) is None:
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


def neighbours(path: Path) -> list[Path]:
    """Files beside a Python file that it imports, and that those import, by name.

    Seen are imports such as `from layers import Block` and `from .layers import Block` wherever
    they stand in the text; nothing is run.
    """
    seen, ahead = {path.resolve()}, [path.resolve()]
    while ahead:
        file = ahead.pop()
        try:
            tree = ast.parse(decode_source(file.read_bytes()))
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        for name in _neighbour_names(tree):
            beside = file.parent / f"{name}.py"
            if beside not in seen and beside.is_file():
                seen.add(beside)
                ahead.append(beside)
    return sorted(seen - {path.resolve()})


def _neighbour_names(tree: ast.Module) -> set[str]:
    """First parts of all names that may be a file beside the module."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(level=1, module=None, names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(level=0 | 1, module=str(module)):
                names.add(module)
    return {name.partition(".")[0] for name in names}


def identity(path: Path) -> str:
    """Hash of a variant's text: its file's, joined with those of the neighbours that it imports.

    Raises:
        OSError: A file cannot be read.
        SyntaxError: Its encoding is unknown.
        UnicodeDecodeError: It is not in its encoding.
    """
    own, beside = text_hash(path), neighbours(path)
    if not beside:
        return own
    texts = [own, *(f"{file.name} {text_hash(file)}" for file in beside)]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def text_hash(path: Path) -> str:
    """Hash a Python file's text to 16 hexadecimal digits; line endings do not matter.

    Raises:
        OSError: The file cannot be read.
        SyntaxError: Its encoding is unknown.
        UnicodeDecodeError: It is not in its encoding.
    """
    return hashlib.sha256(decode_source(path.read_bytes()).encode()).hexdigest()[:16]


class _FreshLoader(SourceFileLoader):
    """Compiles a file each time: no bytecode beside it, none from before a change is used.

    Python takes bytecode for that of a text of as many bytes which was written in the same second.
    """

    def path_stats(self, path: str) -> Mapping[str, float]:
        raise OSError(f"{path} has no bytecode")


class _Neighbours(MetaPathFinder):
    """Finds files beside a variant's file, where nothing else has the name.

    It is asked last and only while the variant's file runs, so that no library of that name is
    hidden. The files are modules of a package that stands for the folder: two folders may both
    have a `layers.py`.
    """

    def __init__(self, package: str, folder: Path) -> None:
        self._package = package
        self._folder = folder
        self.given: list[str] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a top-level name that is a file in the folder."""
        if path is not None or not (self._folder / f"{name}.py").is_file():
            return None
        module = importlib.import_module(f"{self._package}.{name}")
        self.given.append(name)
        return spec_from_loader(name, _Given(module))


class _Given(Loader):
    """Gives a module that is loaded already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, _spec: ModuleSpec) -> ModuleType:
        """Give it."""
        return self._module

    def exec_module(self, _module: ModuleType) -> None:
        """It has run."""


def _folder_package(folder: Path) -> str:
    """Name of the package that stands for a folder, as its files are now."""
    files = sorted(folder.glob("*.py"))
    state = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    name = f"ganbench_folder_{hashlib.sha256(repr((str(folder), state)).encode()).hexdigest()[:8]}"
    if name not in sys.modules:
        package = ModuleType(name)
        # A name of the folder that nobody else has, so that only these files are loaded so
        entry = os.path.join(folder, os.curdir)  # noqa: PTH118 - Path drops the dot
        sys.path_importer_cache[entry] = FileFinder(
            str(folder),
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (_FreshLoader, SOURCE_SUFFIXES),
        )
        package.__path__ = [entry]
        sys.modules[name] = package
    return name


def run(path: Path) -> ModuleType:
    """Import a file that belongs to no package, under a name of its own; `sys.path` stays as is.

    It may import its neighbours. The same text at the same place is run once per process. Whatever
    the file raises comes through.
    """
    path = path.resolve()
    package = _folder_package(path.parent)
    name = f"{package}.{path.stem}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _FreshLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic and dataclasses look up the names of their module there
    finder = _Neighbours(package, path.parent)
    sys.meta_path.append(finder)
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.meta_path.remove(finder)
        for given in finder.given:
            sys.modules.pop(given, None)
    return module


def reason(error: BaseException, path: Path) -> str:
    """Say in one line what a file's code raised, and on which of its lines."""
    kind, text = type(error).__name__, quoted(str(error), _LONGEST_REASON)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.resolve()]
    return (f"{kind}: {text}" if text else kind) + (f" (line {lines[-1]})" if lines else "")
