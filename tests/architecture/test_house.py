"""Rules of the house that the import linter cannot see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from shared.faults import POINTS

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("services", "shared") for path in sorted((ROOT / folder).rglob("*.py"))]
#: the only readers of the wall clock; the others are told what time it is
MAY_READ_TIME = {"shared/clock.py"}
WALL_CLOCK = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}


def _calls(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            yield node.func.value.id, node.func.attr, node.lineno


def test_nobody_but_the_clock_reads_the_wall_clock() -> None:
    found = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if name in MAY_READ_TIME or name.startswith("services/command/"):
            continue
        found += [f"{name}:{line}" for a, b, line in _calls(ast.parse(path.read_text())) if (a, b) in WALL_CLOCK]
    assert not found


def test_every_fault_point_that_is_named_stands_in_the_code() -> None:
    text = "\n".join(path.read_text() for path in SOURCES)
    assert set(re.findall(r'await fault\("([a-z_.]+)"\)', text)) == POINTS


def test_no_room_has_outgrown_its_folder() -> None:
    sizes = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in SOURCES}
    ordered = sorted(sizes.values())
    assert ordered[len(ordered) // 2] <= 120, "the median file"
    assert not [name for name, lines in sizes.items() if lines > 400], "a room to split"


def test_domains_know_nothing_of_the_world() -> None:
    forbidden = {"sqlalchemy", "aiokafka", "fastapi", "httpx", "asyncio", "structlog", "logging", "os", "socket"}
    found = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if not re.match(r"services/\w+/domain(/|\.py)", name):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{name}: {one}" for one in names if one.split(".")[0] in forbidden]
    assert not found


def test_aiokafka_has_one_keeper() -> None:
    importing = re.compile(r"^\s*(import|from) aiokafka\b", re.MULTILINE)
    found = {path.parent.relative_to(ROOT).as_posix() for path in SOURCES if importing.search(path.read_text())}
    assert found == {"shared/kafka"}
