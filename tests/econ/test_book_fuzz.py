"""The order book equals a naive reference book on random logs (the whole 10,000 and more: benchmarks/econ_book.py)."""

from __future__ import annotations

import pytest
from econ.book_logs import differ
from econ.plain_book import PlainBook

from ludarium.envs.core.compile import DISABLED

LOGS = 40 if DISABLED else 150


@pytest.mark.parametrize("share", range(4))
def test_random_logs_end_as_in_the_reference(share: int) -> None:
    for seed in range(share * LOGS, (share + 1) * LOGS):
        assert not differ(seed), f"seed {seed}: {differ(seed)}"


def test_the_comparison_would_find_a_book_without_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = PlainBook.queue
    monkeypatch.setattr(PlainBook, "queue", lambda self, side: sorted(queue(self, side), key=lambda o: o["level"]))
    assert any(differ(seed) for seed in range(20))
