"""What contact-center tools send natively: one file a tool, found by being here."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from services.intake.adapters.pieces.shape import Adapter


def _found() -> dict[str, Adapter]:
    adapters = (
        import_module(f"{__name__}.{module.name}").ADAPTER for module in iter_modules(__path__) if not module.ispkg
    )
    return {adapter.tool: adapter for adapter in adapters}


#: all tools by name
TOOLS: Final[dict[str, Adapter]] = _found()

__all__ = ["TOOLS"]
