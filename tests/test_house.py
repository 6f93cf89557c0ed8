"""The borders of the house: who may use whom (docs/architecture.md), read from the sources."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
RUST = TOP / "rust"
PYTHON = TOP / "python"

CORE_MAY_USE = {
    "error": {"error"},
    "sys": {"error", "wire", "sys"},
    "wire": {"error", "wire"},
    "regex": {"regex", "sys::search", "sys::pattern"},
    "model": {"error", "wire", "sys", "model"},
    "machine": {"error", "wire", "machine", "model::service_dir::Settings"},
    "execline": {"error", "wire", "execline"},
    "run": {"error", "wire", "sys", "model", "machine", "execline", "regex", "run"},
}
"""Layer of s6x-core → what it may name. `sys` knows the types of `wire`, no more."""

PACKAGES_MAY_IMPORT = {
    "s6x.overlay": {"s6x.overlay", "s6x._core", "s6x.native"},
    "s6x.image": {"s6x.image", "s6x.overlay", "s6x._core", "s6x.native"},
    "s6x.supervise": {"s6x.supervise", "s6x._core", "s6x.errors", "s6x.native"},
}


def rust_files(crate: str) -> list[Path]:
    files = sorted((RUST / crate / "src").rglob("*.rs"))
    assert files, crate
    return files


def uses(source: str) -> list[str]:
    """The paths below `crate` that a file names, tests and comments left out."""
    code = source.split("#[cfg(test)]\nmod tests", maxsplit=1)[0]
    code = re.sub(r"//.*", "", code)
    paths = [path.rstrip(":") for path in re.findall(r"\bcrate::([A-Za-z_:]+)", code)]
    for group in re.findall(r"\bcrate::\{([^}]*)\}", code):
        paths += [part.strip() for part in group.split(",") if part.strip()]
    return [path for path in paths if path[:1].islower()]


@pytest.mark.parametrize("layer", sorted(CORE_MAY_USE))
def test_layers_of_the_core_use_only_what_is_below(layer: str) -> None:
    own = [
        file
        for file in rust_files("core")
        if file.relative_to(RUST / "core/src").with_suffix("").parts[0] == layer
    ]
    allowed = CORE_MAY_USE[layer]
    wrong = [
        f"{file.relative_to(TOP)}: crate::{path}"
        for file in own
        for path in uses(file.read_text())
        if path.split("::")[0] not in allowed and path not in allowed
    ]
    assert own
    assert not wrong


def test_unsafe_code_is_in_sys_and_the_entry_point_only() -> None:
    allowed = {RUST / "multicall/src/bin/s6x.rs"}
    wrong = [
        str(file.relative_to(TOP))
        for crate in ("core", "multicall", "extension")
        for file in rust_files(crate)
        if re.search(r"^[^/]*\bunsafe\b", file.read_text(), re.MULTILINE)
        and (RUST / "core/src/sys") not in file.parents
        and file not in allowed
    ]
    assert not wrong


def test_machines_know_no_clock_and_no_files() -> None:
    forbidden = re.compile(r"\bstd::(fs|io|os|process|net|thread|env)\b|\blibc::|SystemTime")
    machines = [
        file
        for file in rust_files("core")
        if (RUST / "core/src/machine") in file.parents
        and file.name not in {"table.rs", "simulation.rs"}
    ]
    wrong = [
        f"{file.relative_to(TOP)}: {found.group()}"
        for file in machines
        for found in forbidden.finditer(
            re.sub(r"//.*", "", file.read_text().split("#[cfg(test)]\nmod tests")[0])
        )
    ]
    assert machines
    assert not wrong


def test_only_the_extension_knows_python() -> None:
    manifests = {
        crate: (RUST / crate / "Cargo.toml").read_text() for crate in ("core", "multicall")
    }
    assert not [crate for crate, text in manifests.items() if "pyo3" in text]


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from s6x import _core` names a module, `from s6x import __version__` does not.
            found |= (
                {f"s6x.{name.name}" for name in node.names if not name.name.startswith("__")}
                if node.module == "s6x"
                else {node.module}
            )
    return found


@pytest.mark.parametrize("package", sorted(PACKAGES_MAY_IMPORT))
def test_packages_import_only_what_is_below(package: str) -> None:
    allowed = PACKAGES_MAY_IMPORT[package]
    folder = PYTHON / package.replace(".", "/")
    files = [*folder.rglob("*.py"), *PYTHON.glob(package.replace(".", "/") + ".py")]
    wrong = [
        f"{file.relative_to(TOP)}: {name}"
        for file in files
        for name in sorted(imports(file))
        if name.split(".")[0] in {"s6x", "click"}
        and not any(name == top or name.startswith(f"{top}.") for top in allowed)
    ]
    assert files
    assert not wrong


def test_the_command_line_goes_through_the_packages() -> None:
    files = sorted((PYTHON / "s6x/cli").rglob("*.py"))
    assert files
    assert not [file for file in files if "s6x._core" in imports(file)]


NO_PARSERS = {
    "wire::clock": "durations, no bytes",
    "wire::blake2s": "takes any bytes for what they are",
    "model::ownership": "wire::fix_attrs, with numbers for names",
    "model::runtime": "chooses a place",
    "model::scan_dir": "paths only",
}
"""Modules of formats that read nothing which could be wrong."""


def test_every_parser_gets_hostile_input() -> None:
    table = (RUST / "multicall/tests/hostile/parsers.rs").read_text()
    tried = {name.split(" ")[0] for name in re.findall(r'name: "([^"]+)"', table)}
    modules = {
        "::".join(part for part in file.relative_to(RUST / "core/src").with_suffix("").parts[:2])
        for layer in ("wire", "model", "execline")
        for file in (RUST / "core/src" / layer).rglob("*.rs")
        if file != RUST / "core/src" / layer / "mod.rs"
    }
    assert len(modules) > 30
    assert not modules - tried - NO_PARSERS.keys(), "a line in hostile/parsers.rs for each"
    assert modules >= NO_PARSERS.keys()


def test_nothing_is_too_long_to_read() -> None:
    """600 lines, tests of the file itself not counted; a flat table would be listed here."""
    long = {
        str(file.relative_to(TOP)): lines
        for file in [
            *(file for crate in ("core", "multicall", "extension") for file in rust_files(crate)),
            *PYTHON.rglob("*.py"),
        ]
        if (lines := len(file.read_text().split("#[cfg(test)]\nmod tests")[0].splitlines())) > 600
    }
    assert not long
