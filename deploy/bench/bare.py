"""The ceiling of `intake_post_ratio`: FastAPI with the model of a contact, and nothing behind it.

`python -m deploy.bench.bare PORT`
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI

from services.intake.api.bodies import ContactBody

app = FastAPI()


@app.post("/v1/contacts", status_code=202)
async def post(body: ContactBody) -> dict[str, str]:
    """Reads and checks a contact, and forgets it."""
    return {"contact_id": body.source_event_id}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
