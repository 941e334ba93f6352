"""Documents say what the code does: tables, events, deadlines, files and commands that they name are there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from services.escalation.handlers import REGISTRY
from services.escalation.handlers.deadlines import DEADLINES
from services.intake.handlers import REGISTRY as INTAKE
from services.ownership.handlers import EVENTS
from shared.contracts.registry import BY_TYPE, PUBLISHED, SERVICES

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("services/*/README.md"), *ROOT.glob("deploy/**/*.md")])
TAKEN = {"intake": INTAKE, "ownership": EVENTS, "escalation": REGISTRY}
FOLDERS = ("services/", "shared/", "deploy/", "tests/", "domain/", "store/", "handlers/", "api/", "mail/", "web/")


def _section(service: str, title: str) -> str:
    text = (ROOT / "services" / service / "README.md").read_text()
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{service}/README.md has no section {title!r}"
    return found[1]


def _first_cells(service: str, title: str) -> list[str]:
    """What stands in backticks in the first column of a section's table; `.name` continues the name before it."""
    names: list[str] = []
    for line in _section(service, title).splitlines():
        if not line.startswith("| `"):
            continue
        for name in re.findall(r"`([^`]+)`", line.split("|")[1]):
            if name.startswith("."):
                name = names[-1].split(".")[0] + name
            names.append(name)
    return names


@pytest.mark.parametrize("service", SERVICES)
def test_tables(service: str) -> None:
    metadata = import_module(f"services.{service}.store.tables").metadata
    assert sorted(_first_cells(service, "Tables")) == sorted(table.name for table in metadata.tables.values())


@pytest.mark.parametrize("service", SERVICES)
def test_events_in(service: str) -> None:
    named = {f"complaintloop.{name}.v1" for name in _first_cells(service, "Events in") if "." in name}
    assert named <= set(TAKEN[service])
    rest = "ownership" if "all others of ownership" in _section(service, "Events in") else ""
    learned = {name for name, event in BY_TYPE.items() if event in PUBLISHED.get(rest, ())}
    assert set(TAKEN[service]) == named | learned


def test_events_out_of_intake() -> None:
    assert _first_cells("intake", "Events out") == [event.TYPE for event in PUBLISHED["intake"]]


@pytest.mark.parametrize("service", ["ownership", "escalation"])
def test_events_out_are_those_of_the_publishers_file(service: str) -> None:
    there = f"shared/contracts/{service}.py"
    if not (ROOT / there).exists():
        there = f"shared/contracts/{service}/"
    assert f"`{there}`" in _section(service, "Events out")


def test_deadlines_of_escalation() -> None:
    assert sorted(_first_cells("escalation", "Clocks")) == sorted(DEADLINES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_are_named_are_there(document: Path) -> None:
    text = document.read_text()
    named = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r"`([\w./-]+)`", text)
    paths = [name for name in named if name.startswith(FOLDERS) and not name.startswith("http")]
    missing = [name for name in paths if not any((base / name).exists() for base in (document.parent, ROOT))]
    assert not [name for name in missing if not _in_some_service(name)]


def _in_some_service(name: str) -> bool:
    """CONTRIBUTING speaks of the rooms of every service: `api/`, `handlers`."""
    return any((ROOT / "services" / service / name).exists() for service in SERVICES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_make_targets_and_commands_that_are_named_are_there(document: Path) -> None:
    code = "\n".join(
        re.findall(r"`([^`\n]+)`", text := document.read_text()) + re.findall(r"```\w*\n(.*?)```", text, re.S)
    )
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", code)) <= targets
    commands = set(re.findall(r"\bcomplaint-loop ([a-z]+)\b", code))
    assert commands <= _commands()


def _commands() -> set[str]:
    import typer

    from services.command.line import app

    command = typer.main.get_command(app)
    return set(getattr(command, "commands", {}))


def test_settings_that_are_named_are_read() -> None:
    from services.command.settings import AllSettings

    text = "\n".join(path.read_text() for path in [*DOCUMENTS, *(ROOT / "deploy").rglob("*.y*ml")])
    named = {name.lower().removesuffix("_file") for name in re.findall(r"COMPLAINT_LOOP_([A-Z_]*[A-Z])", text)}
    fields = {field.removesuffix("_file") for field in AllSettings.model_fields}
    assert named - fields <= {"faults", "long", "x"}  # what tests read, and an example of a name
