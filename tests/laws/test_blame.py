"""Which law is named where one bug breaks several."""

from __future__ import annotations

from pathlib import Path

import pytest

from ludarium.testing import check


def test_chance_that_shows_itself_late_is_named_by_its_own_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once another law has met it, nothing that went well before is believed any more: each law finds out for itself."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import worlds

    monkeypatch.setattr(worlds.Stranger, "made", 0)
    report = check(worlds.Stranger)
    assert worlds.Stranger.made > 40
    assert report.broken == ["repeatable"]
    assert "repeatable stands in the way" in report["copies"].reason
