"""What all tests of the laws share."""

from __future__ import annotations

import pytest

from ludarium.envs.core.laws.cases import PROFILES


@pytest.fixture(autouse=True)
def _the_same_cases_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dev` draws other cases each time it runs; what a test says of a report must not depend on which."""
    monkeypatch.setitem(PROFILES, "dev", PROFILES["dev"]._replace(derandomize=True))
