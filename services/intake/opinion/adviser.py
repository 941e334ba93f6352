"""The endpoint that is asked: one question, one answer, within its time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import httpx

from services.intake.outside import NotNow, TooMuch, body_of, may_pass, retry_after
from shared.settings import Base

from .masking import Masked
from .question import Answer, Refused, answer_in

_MOST_BYTES: Final = 200_000
#: statuses that are about this question; asked again it would be no other
_ABOUT_IT: Final = (400, 413, 422)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: the masked text, the causes that it lists, and its body."""

    masked: Masked
    causes: Sequence[str]
    body: bytes


class Adviser:
    """An OpenAI-compatible endpoint. Follows no redirect: the text goes where it was to go, or nowhere."""

    def __init__(self, settings: Base, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        assert settings.opinion_url is not None and settings.opinion_model is not None
        self.model = settings.opinion_model
        self._url = f"{settings.opinion_url}/chat/completions"
        self._seconds = settings.opinion_seconds
        # packed answers are not read: a small one may unpack into a large one
        headers = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
        if settings.opinion_key is not None and (key := settings.opinion_key.get_secret_value()):
            headers["authorization"] = f"Bearer {key}"
        self._client = httpx.AsyncClient(
            headers=headers, timeout=self._seconds, follow_redirects=False, transport=transport
        )

    async def ask(self, asked: Asked, now: datetime) -> Answer:
        """The answer. Raises NotNow where it may be asked again, Refused where the answer is none."""
        try:
            async with asyncio.timeout(self._seconds):
                async with self._client.stream("POST", self._url, content=asked.body) as answer:
                    body = await body_of(answer, _MOST_BYTES, raw=True)
        except TooMuch:
            raise Refused("the answer is too long") from None
        except TimeoutError:
            raise NotNow("there was no answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise NotNow(f"there was no answer ({type(error).__name__})") from None
        status = answer.status_code
        if status in _ABOUT_IT:
            raise Refused(f"it answered {status}")
        if may_pass(status) or status != 200:
            raise NotNow(f"it answered {status}", retry_after(answer, now))
        return answer_in(body, asked.masked, asked.causes)

    async def stop(self) -> None:
        """Lets go of its connections."""
        await self._client.aclose()
