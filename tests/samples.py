"""The folder of real payloads of other tools. It is not part of this repository: tests that read it skip without it."""

from __future__ import annotations

import os
from pathlib import Path

SAMPLES = Path(os.environ.get("COMPLAINT_LOOP_SAMPLES", Path(__file__).parents[2] / "shared" / "samples"))
