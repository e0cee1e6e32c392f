"""Every environment of the suite, and both templates, keep the laws; the profile `ci` is run by `make laws`."""

from __future__ import annotations

import os
from typing import Any

import pytest

import ludarium.envs._template.array
import ludarium.envs._template.object  # noqa: F401  (registers the templates)
from ludarium.envs.core.registry import WORLDS, available
from ludarium.testing import LAWS, Session, Subject

IDS = sorted(name for name in WORLDS if not name.startswith("test-") and available(name))
PROFILE = os.environ.get("LUDARIUM_LAWS", "dev")
SEED = 0 if PROFILE == "dev" else None
"""`dev` draws other cases each time, and may draw none in which a law claims anything; here it is the same ones."""
CLAIMED = {
    "econ-gtb-v0": set(LAWS) - {"bound"},
    "econ-market-v0": set(LAWS) - {"bound"},
    "econ-tax-v0": set(LAWS),
    "mapf-v0": set(LAWS),
    "mapf-lifelong-v0": set(LAWS) - {"symmetry"},
    "text-textworld-v0": set(LAWS) - {"bound", "compiled", "symmetry"},
    "template-array-v0": set(LAWS) - {"bound"},
    "template-object-v0": set(LAWS) - {"bound", "compiled", "some_legal_action"},
    "text-desk-v0": set(LAWS) - {"bound", "compiled", "some_legal_action", "symmetry"},
}


@pytest.fixture(scope="module")
def sessions() -> Any:
    """One check for each environment, so that its laws share episodes."""
    made = {name: Session(Subject(name), PROFILE, seed=SEED) for name in IDS}
    yield made
    for session in made.values():
        session.subject.close()


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in IDS])
def test_law(name: str, law: str, sessions: Any) -> None:
    row = sessions[name].row(law)
    assert row.verdict != "broken", "\n".join(row.failure.story)
    if row.verdict == "left out":
        pytest.skip(f"{row.reason} (LUDARIUM_LAWS=ci)")
    assert (row.verdict == "kept") == (law in CLAIMED.get(name, set(LAWS))), row
