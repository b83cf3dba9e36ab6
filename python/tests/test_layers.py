"""`make layers` finds modules that import what is above them, circles of modules, and crates that need a newer Rust."""

import re
import shutil
from pathlib import Path

import layers
import modules
import pytest

from walkthrough import ROOT


@pytest.fixture
def tree(tmp_path):
    """A copy of the sources."""
    for folder in [*layers.CRATES, *layers.PACKAGES]:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return tmp_path


def add(path: Path, text: str):
    path.write_text(path.read_text() + text)


def test_the_sources_are_in_order(tree):
    assert layers.in_sources(tree) == []


def test_an_import_from_below_is_found(tree):
    add(tree / layers.ENGINE / "documents/freshness.rs", "use crate::verify::header;")
    problems = layers.in_sources(tree)
    assert "documents::freshness is on floor 5 and must not import verify::header above it" in problems


def test_a_module_must_not_import_what_lib_rs_re_exports(tree):
    add(tree / layers.ENGINE / "verify/claims.rs", "use crate::UnixTime;")
    assert "verify::claims is on floor 7 and must not import crate above it" in layers.in_sources(tree)


def test_a_module_without_a_floor_is_found(tree):
    (tree / layers.ENGINE / "attic.rs").write_text("")
    (tree / layers.ENGINE / "nonces.rs").rename(tree / layers.ENGINE / "http" / "nonces.rs")
    problems = layers.in_sources(tree)
    assert any(problem.startswith("attic has no floor") for problem in problems)
    assert "nonces is on a floor, but does not exist" in problems


@pytest.mark.parametrize(
    ("path", "line", "circle"),
    [
        (f"{layers.ENGINE}/http/host.rs", "use super::url;", "http::host, http::url"),
        ("crates/bearward-exchange/src/form.rs", "use crate::device;", "device, form"),
        ("crates/bearward-issuer/src/mint/key.rs", "use crate::serve;", "mint::key"),
        ("crates/bearward-cli/src/terminal/style.rs", "use crate::commands;", "terminal::style"),
        ("python/native/src/values.rs", "use crate::engine::Engine;", "engine, passed, request, resource, values"),
        ("python/src/bearward/errors.py", "from bearward import actor", "actor, errors"),
    ],
)
def test_a_circle_is_found(tree, path, line, circle):
    add(tree / path, f"\n{line}\n")
    [problem] = [problem for problem in layers.in_sources(tree) if "a circle of" in problem]
    assert circle in problem


def test_modules_at_the_top_of_a_crate_must_not_form_a_circle_either(tree):
    # No file imports one that imports it, but `http` and `jose` import each other.
    add(tree / layers.ENGINE / "http/host.rs", "use crate::jose::thumbprint;")
    assert layers.in_sources(tree) == []
    add(tree / layers.ENGINE / "jose/compact.rs", "use crate::http::scheme;")
    assert layers.in_sources(tree) == [f"{layers.ENGINE}: a circle of http, jose"]


def test_circles_are_found_wherever_they_are():
    assert modules.circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert modules.circles({"a": {"a"}}) == [["a"]]
    assert modules.circles({"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": {"e"}, "e": {"d"}}) == [
        ["d", "e"],
        ["b", "c"],
    ]


def test_the_floors_in_the_documentation_are_those_that_are_checked():
    page = (ROOT / "ARCHITECTURE.md").read_text()
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", page, re.MULTILINE)
    documented = {module: int(floor) for floor, names in rows for module in re.findall(r"`(\w+)`", names)}
    checked = {module: number for number, floor in enumerate(layers.FLOORS, start=1) for module in floor}
    assert documented == checked


@pytest.fixture
def crate(tmp_path):
    """A crate with five modules."""
    for path in ["lib.rs", "a.rs", "b/mod.rs", "b/c.rs", "b/d.rs"]:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("code", "imported"),
    [
        ("use crate::a;", {"a"}),
        ("use crate::a::*;", {"a"}),
        ("use super::d::{self, Item as Other};", {"b::d"}),
        ("use super::super::a::Item;", {"a"}),
        ("use super::Item;", {"b"}),
        ("use crate::Item;", {"crate"}),
        ("pub(in super::super) use crate::{a::{X, Y}, b::{d as e}};", {"a", "b::d"}),
        ("fn f() { crate::a::g() }", {"a"}),
        ("type T = Vec<super::d::Item>;", {"b::d"}),
        ("#[cfg(test)]\nmod more { fn g() { ['{', '\\'', '\"', '\\\\']; } }\nuse crate::a;", {"a"}),
        ("#[cfg(test)]\nuse crate::b::d;\nuse crate::a;", {"a"}),
        ('const A: &str = "\\" //"; use crate::a;', {"a"}),
        ('const A: &str = r#"" /* "#; use crate::a; /* */', {"a"}),
        ("fn f<'a, 'b>(x: &'a str) { '\"' } use crate::a; // '\"'", {"a"}),
        ("// use crate::a;", set()),
        ("/// See [`Item`](crate::a::Item).", set()),
        ("/* use crate::a; */", set()),
        ('const A: &str = "crate::a::b";', set()),
        ('const A: &str = r#"use crate::a;"#;', set()),
        ("#[cfg(test)]\nmod more { use crate::a; }", set()),
        ("pub(in crate::a) fn f() {}", set()),
        ("use other::a::Item; use std::a;", set()),
        ("use self::Item;", set()),
    ],
)
def test_every_import_of_a_rust_module_is_read(crate, code, imported):
    (crate / "b/c.rs").write_text(code)
    assert modules.of_crate(crate)["b::c"] == imported


def test_a_rust_module_may_name_the_modules_in_it(crate):
    (crate / "b/mod.rs").write_text("mod c; mod d; pub use c::Item; fn f() { d::g() }")
    assert modules.of_crate(crate)["b"] == {"b::c", "b::d"}
    (crate / "b/mod.rs").write_text("mod c; mod d;")
    assert modules.of_crate(crate)["b"] == set()


@pytest.mark.parametrize(
    ("code", "imported"),
    [
        ("import package.a", {"a"}),
        ("import package.b.c as d", {"b.c"}),
        ("from package import a, b", {"a", "b"}),
        ("from package.b.c import f", {"b.c"}),
        ("from package import f", {"__init__"}),
        ("from package import native", {"native"}),
        ("def f():\n    from package import a", {"a"}),
        ("if TYPE_CHECKING:\n    from package import a", {"a"}),
        ("import other.a", set()),
    ],
)
def test_every_import_of_a_python_module_is_read(tmp_path, code, imported):
    package = tmp_path / "package"
    (package / "b").mkdir(parents=True)
    for path in ["__init__.py", "a.py", "b/__init__.py", "b/c.py", "native.pyi"]:
        (package / path).write_text("")
    (package / "user.py").write_text(code)
    assert modules.of_package(package)["user"] == imported


@pytest.mark.parametrize(
    ("needed", "kind", "problems"),
    [
        ("1.89", None, ["ours promises Rust 1.88, but theirs needs 1.89"]),
        ("2.0", "build", ["ours promises Rust 1.88, but theirs needs 2.0"]),
        ("1.89", "dev", []),
        ("1.88.0", None, []),
        (None, None, []),
    ],
)
def test_a_dependency_that_needs_a_newer_rust_is_found(needed, kind, problems):
    packages = [
        {"id": name, "name": name, "rust_version": rust} for name, rust in (("ours", "1.88"), ("theirs", needed))
    ]
    nodes = [
        {"id": "ours", "deps": [{"pkg": "theirs", "dep_kinds": [{"kind": kind}]}]},
        {"id": "theirs", "deps": []},
    ]
    metadata = {"packages": packages, "workspace_members": ["ours"], "resolve": {"nodes": nodes}}
    assert layers.too_new(layers.Graph(metadata)) == problems
