"""The command line as a whole: its commands, and how what goes wrong is told in one sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from services.command import (
    demo,
    feed,
    hooks,
    import_contacts,
    kafka,
    keys,
    migrate,
    parked,
    policy,
    prepare,
    replay,
    run,
    serve,
    sign_in,
    signals,
    topics,
    verify,
)

app = typer.Typer(
    name="complaint-loop",
    help="Every complaint has one owner until the customer says it is solved.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings come from the environment (COMPLAINT_LOOP_…); what `make run` has started is found by itself.",
)
for _room in (serve, run, migrate, prepare, import_contacts, feed, demo, verify, replay, kafka, sign_in):
    _room.add_to(app)
for _name, _group in (
    ("topics", topics),
    ("policy", policy),
    ("keys", keys),
    ("parked", parked),
    ("hooks", hooks),
    ("signals", signals),
):
    app.add_typer(_group.app, name=_name)

#: exit codes: 1 = it did not work, 2 = what was typed or set is wrong
_FAILED, _MISTAKEN = 1, 2


def _end(code: int, *sentences: str) -> NoReturn:
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")
    sys.exit(code)


def run_line(words: Sequence[str]) -> None:
    """Runs a command. A mistake is one sentence on standard error, never a traceback."""
    try:
        app(list(words), prog_name="complaint-loop")
    except KeyboardInterrupt:
        _end(130)
    except BrokenPipeError:
        # whoever read our output has gone (`| head`); Python would complain once more when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _end(0)
    except Exception as error:
        _told(error)
        raise


def _told(error: Exception) -> None:
    """Ends with the sentence of what is expected to go wrong; comes back where it is a bug."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "SettingsError" in names:
        _end(_MISTAKEN, *getattr(error, "mistakes", [str(error)]))
    if "PolicyError" in names:
        file = getattr(error, "file", None) or "The policy"
        _end(_MISTAKEN, *(f"{file}:{line}: {message}" for line, message in getattr(error, "mistakes", [])))
    if "RuleError" in names:
        _end(_MISTAKEN, f"The policy's hearing: {error}")
    if names & {"Trouble", "RolesRefused"}:
        _end(_FAILED, str(error))
    if isinstance(error, OSError) and error.filename:
        _end(_FAILED, f"{error.filename}: {error.strerror}")
    if names & {"DBAPIError", "PostgresError"} or (isinstance(error, OSError) and _from("asyncpg", error)):
        _end(_FAILED, f"The database cannot be used: {_first_line(getattr(error, 'orig', error) or error)}")
    if names & {"KafkaError", "TimeoutError"} and _from("aiokafka", error):
        _end(_FAILED, f"Kafka cannot be reached: {_first_line(error) or type(error).__name__}")
    if names & {"TransportError"}:
        _end(_FAILED, f"The services cannot be reached ({_first_line(error)}): is `make run` running?")


def _first_line(error: BaseException) -> str:
    # the first line only: SQLAlchemy adds the statement and its values
    return str(error).split("\n", 1)[0].removeprefix("<class 'asyncpg.exceptions.").strip()[:300]


def _from(package: str, error: BaseException) -> bool:
    step = error.__traceback__
    while step is not None:
        if package in step.tb_frame.f_globals.get("__name__", ""):
            return True
        step = step.tb_next
    return False
