"""Which module imports which, read from the source: of a Rust crate, and of a Python package.

A module is a file. It imports another module if a path in its code names that module or something in it. A name that a
module re-exports counts as a name of that module, wherever it is defined.

Rust: every path counts, in a `use` or anywhere else. Comments, texts and items that are `#[cfg(test)]` don't count, nor
does the place where an item is visible (`pub(in ...)`).

Python: every import counts, also those in functions and those for type checking alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set
from itertools import dropwhile
from pathlib import Path

Imports = dict[str, set[str]]
"""Module -> the modules of the same crate or package that it imports."""

ROOT = "crate"
"""The module of `lib.rs` or `main.rs`."""


def circles(imports: Imports) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for used in sorted(imports[module]):
            if used not in index:
                visit(used)
            if used in stack:
                low[module] = min(low[module], low[used])
        if low[module] == index[module]:
            start = stack.index(module)
            if len(stack) - start > 1 or module in imports[module]:
                found.append(sorted(stack[start:]))
            del stack[start:]

    for module in sorted(imports):
        if module not in index:
            visit(module)
    return found


# Rust.


def of_crate(source: Path) -> Imports:
    """The modules in the folder `source`, named by their paths, such as `documents::key_set`. The root is `ROOT`."""
    files = {_rust_name(path.relative_to(source)): path for path in source.rglob("*.rs")}
    return {name: _rust_imports(name, path.read_text(), files.keys()) for name, path in files.items()}


def _rust_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    if path.stem in {"lib", "main", "mod"}:
        parts = parts[:-1]
    return "::".join(parts) or ROOT


def _rust_imports(module: str, text: str, modules: Set[str]) -> set[str]:
    code = _without_tests(_without_texts(text))
    code = re.sub(r"pub\s*\(\s*(in\s[^)]*|self|super|crate)\s*\)", "pub ", code)
    here = [] if module == ROOT else module.split("::")
    found = set()
    for path in _rust_paths(code):
        used = _resolved(path, here, modules)
        if used is not None and used != module:
            found.add(used)
    return found


def _resolved(path: list[str], here: list[str], modules: Set[str]) -> str | None:
    """The module of this crate that `path` names, or whose item it names. `here`: the module that the path is in."""
    first = path[0]
    if first == "crate":
        parts, rest = [], path[1:]
    elif first in {"super", "self"}:
        rest = list(dropwhile(lambda name: name in {"super", "self"}, path))
        parts = here[: len(here) - path.count("super")]
    elif "::".join([*here, first]) in modules:
        parts, rest = list(here), path
    else:
        return None
    for part in rest:
        if "::".join([*parts, part]) not in modules:
            break
        parts.append(part)
    return "::".join(parts) or ROOT


_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"


def _rust_paths(code: str) -> Iterator[list[str]]:
    """The paths of two or more names in the code, and all names of each `use`."""
    uses = re.compile(r"\buse\s+([^;]+);")
    for use in uses.findall(code):
        yield from _use_tree(use, [])
    for path in re.findall(rf"(?<![\w:]){_IDENTIFIER}(?:\s*::\s*{_IDENTIFIER})+", uses.sub("", code)):
        yield re.split(r"\s*::\s*", path)


def _use_tree(tree: str, before: list[str]) -> Iterator[list[str]]:
    """The paths in `a::{b, c::{self, D as E}}`, each with the names `before` it."""
    head, brace, rest = tree.partition("{")
    names = [*before, *re.findall(_IDENTIFIER, re.sub(r"\sas\s.*", "", head))]
    if not brace:
        yield names
        return
    for branch in _branches(rest[: rest.rindex("}")]):
        yield from _use_tree(branch, names)


def _branches(inside: str) -> Iterator[str]:
    """What commas separate, apart from those in braces."""
    depth, start = 0, 0
    for position, character in enumerate(inside + ","):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            if inside[start:position].strip():
                yield inside[start:position]
            start = position + 1


def _without_texts(text: str) -> str:
    """The code without comments, and with empty texts and characters."""
    pattern = re.compile(
        r"""//[^\n]* | /\*.*?\*/ | b?r(\#*)".*?"\1 | b?"(?:\\.|[^"\\])*" | b?'(?:\\.[^']*|[^'\\])' """, re.S | re.X
    )
    return pattern.sub(lambda match: " " if match.group().startswith("/") else '""', text)


def _without_tests(code: str) -> str:
    """The code without its items that are `#[cfg(test)]`."""
    while True:
        mark = re.search(r"#\[cfg\(test\)\]", code)
        if mark is None:
            return code
        end, depth = mark.end(), 0
        for end in range(mark.end(), len(code)):
            depth += {"{": 1, "}": -1, "(": 1, ")": -1, "[": 1, "]": -1}.get(code[end], 0)
            if depth == 0 and code[end] in ";}":
                break
        code = code[: mark.start()] + code[end + 1 :]


def of_rooms(imports: Imports) -> Imports:
    """The same for the modules right below the root of a crate. Each counts together with all modules in it."""
    rooms: Imports = {}
    for module, used in imports.items():
        room = room_of(module)
        rooms.setdefault(room, set()).update(room_of(other) for other in used)
    return {room: used - {room} for room, used in rooms.items()}


def room_of(module: str) -> str:
    """The module right below the root that `module` is in, or is."""
    return module.split("::")[0]


# Python.


def of_package(folder: Path) -> Imports:
    """The modules of the package in `folder`, stubs too, named without the package: `fastapi.guard`."""
    files = {_python_name(path.relative_to(folder)): path for path in sorted(folder.rglob("*.py*")) if _is_source(path)}
    return {name: _python_imports(path, folder.name, files.keys()) - {name} for name, path in files.items()}


def _is_source(path: Path) -> bool:
    return path.suffix in {".py", ".pyi"}


def _python_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "__init__"


def _python_imports(path: Path, package: str, modules: Set[str]) -> set[str]:
    found = set()
    for name in _imported_names(ast.parse(path.read_text())):
        first, *parts = name.split(".")
        while parts and ".".join(parts) not in modules:
            parts = parts[:-1]
        if first == package:
            found.add(".".join(parts) or "__init__")
    return found


def _imported_names(tree: ast.Module) -> Iterator[str]:
    """The full names of what is imported. A relative import is a mistake: ruff forbids it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            raise ValueError(f"line {node.lineno}: a relative import")
