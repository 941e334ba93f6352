"""Requests counted, for Prometheus. Plain numbers of one thread, made into metrics when somebody looks: the client
library's own cost five times as much per request."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

#: upper bounds of the buckets, in seconds
_BOUNDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Requests(Collector):
    """Answers by method, route and status, and how long they took."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, str, int], int] = {}
        self._took: dict[tuple[str, str], tuple[list[int], list[float]]] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (method, route, status)
        self._answered[key] = self._answered.get(key, 0) + 1
        took = self._took.get(key[:2])
        if took is None:
            took = self._took[key[:2]] = ([0] * (len(_BOUNDS) + 1), [0.0])
        took[0][bisect_left(_BOUNDS, seconds)] += 1
        took[1][0] += seconds

    def collect(self) -> Iterator[Metric]:
        """As Prometheus reads it: buckets hold what is below them as well."""
        answered = CounterMetricFamily("http_requests", "Requests answered", labels=["method", "route", "status"])
        for (method, route, status), count in self._answered.items():
            answered.add_metric([method, route, str(status)], count)
        yield answered
        took = HistogramMetricFamily(
            "http_request_seconds", "Seconds until the answer was complete", labels=["method", "route"]
        )
        for (method, route), (counts, total) in self._took.items():
            below, buckets = 0, []
            for bound, count in zip((*map(str, _BOUNDS), "+Inf"), counts, strict=True):
                below += count
                buckets.append((bound, below))
            took.add_metric([method, route], buckets, total[0])
        yield took


REQUESTS: Final = Requests()
REGISTRY.register(REQUESTS)
