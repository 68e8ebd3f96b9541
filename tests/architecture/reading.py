"""Read the project as text and syntax trees, without importing any of it."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
LEFT_BEHIND = frozenset({".venv-bench", ".git", ".venv", ".hypothesis", "__pycache__", "data", "dist"})


def python_files(folder: Path) -> list[Path]:
    """List a folder's own Python files, links not followed."""
    return [path for path in walk(folder) if path.suffix == ".py"]


def walk(folder: Path) -> list[Path]:
    """List the files below a folder, without what tools leave behind and without following links."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in LEFT_BEHIND or path.name.endswith("_cache"):
            continue
        found.extend(walk(path) if path.is_dir() else [path])
    return found


def tracked_files() -> list[Path]:
    """List what the repository holds; outside a checkout (an unpacked archive), what the folder holds."""
    if not (ROOT / ".git").exists():
        return walk(ROOT)
    # Git refuses a checkout that belongs to somebody else unless it is told that this one is meant.
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def parse(path: Path) -> ast.Module:
    """Read one file's syntax tree."""
    return ast.parse(path.read_text("utf-8"), str(path))


def module_name(path: Path) -> str:
    """Name the module a file is imported as: domain/state.py is holdfast.domain.state."""
    inside = PurePosixPath(path.relative_to(ROOT)).with_suffix("")
    parts = inside.parts if inside.parts[0] == "holdfast" else ("holdfast", *inside.parts)
    return ".".join(parts)


def imports(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Yield the line and full dotted name of everything imported, wherever in the file it happens."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = ".".join(module.split(".")[: -node.level])
                base = f"{parent}.{base}".rstrip(".")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every string literal; of an f-string, its beginning."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner.update(id(part) for part in node.values[1:])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.lineno, node.value
