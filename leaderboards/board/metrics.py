"""What the server measures of itself, in Prometheus' text form. Nothing in it names an account, an address or a token."""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ludarium.leaderboards.store import Store

__all__ = ["SEEN_SECONDS", "Metrics"]

SEEN_SECONDS = 120.0
"""A worker that was not heard of for so long does not count."""
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_LONG = (0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600, 21600, 86400)


class Metrics:
    """The figures of one application."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen, self._lock = store.log.head()[0], threading.Lock()
        self.registry = found = CollectorRegistry()
        self.requests = Counter("ludarium_requests", "Requests.", ["method", "route", "status"], registry=found)
        self.seconds = Histogram(
            "ludarium_request_seconds", "Until the last byte was handed over.", ["route"], buckets=_FAST, registry=found
        )
        self.uploads = Counter("ludarium_uploads", "Uploads by what came of them.", ["outcome"], registry=found)
        self.upload_bytes = Counter("ludarium_upload_bytes", "Bytes of uploads, refused ones too.", registry=found)
        self.renders = Counter("ludarium_page_renders", "Pages that were made.", registry=found)
        self.stale = Counter("ludarium_page_stale", "Pages shown while a newer one was being made.", registry=found)
        self.judged = Histogram(
            "ludarium_verification_seconds", "Of verdicts since the start.", buckets=_LONG, registry=found
        )
        self.waited = Histogram(
            "ludarium_verdict_delay_seconds", "From upload to verdict, since the start.", buckets=_LONG, registry=found
        )
        self._queue = Gauge("ludarium_queue_jobs", "Submissions by the state of their job.", ["state"], registry=found)
        self._oldest = Gauge("ludarium_queue_oldest_seconds", "Age of the oldest open job.", registry=found)
        self._links = Gauge("ludarium_log_links", "Links of the verification log.", registry=found)
        self._workers = Gauge("ludarium_workers", "Workers heard of in the last two minutes.", registry=found)

    def watch(self) -> None:
        """Look at the verdicts that came since the last look."""
        with self._lock:
            for link in self._store.log.links(self._seen):
                self._seen = link.number
                if link.kind == "verdict":
                    entry = self._store.submissions.get(link.subject)
                    self.judged.observe(float(entry.measured.get("wall_s") or entry.measured.get("cpu_s") or 0.0))
                    self.waited.observe(max(0, link.at - entry.received_at) / 1e6)

    def text(self) -> bytes:
        """All figures, those of the store as they are now."""
        self.watch()
        counts = self._store.queue.counts()
        self._oldest.set(counts.pop("oldest") / 1e6)
        for state, count in counts.items():
            self._queue.labels(state).set(count)
        self._links.set(self._store.log.head()[0])
        self._workers.set(self._store.workers.count(SEEN_SECONDS))
        return generate_latest(self.registry)
