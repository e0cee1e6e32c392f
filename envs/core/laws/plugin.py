"""The pytest plugin, installed as `pytest_ludarium`: one test a law, and the fixture `check_laws`.

    @pytest.mark.laws("my_package:MyEnv", profile="dev")
    def test_my_env(law):
        law()

is a test for every law, named after it: a report names the broken one. `check_laws("my_package:MyEnv")` holds all of
them in one test. This file is loaded with every run of pytest, and so imports nothing until it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

__all__ = ["check_laws", "law"]

_MARKER = (
    "laws(target, profile='dev', laws=None, seed=None, guarded=False, **options): hold the laws against an environment; "
    "a test with this marker and the argument `law` becomes one test for each law"
)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test a law of a test that is marked and takes `law`."""
    marker = metafunc.definition.get_closest_marker("laws")
    if marker is None or "law" not in metafunc.fixturenames:
        return
    from ludarium.envs.core.laws.book import chosen

    names = chosen(marker.kwargs.get("laws"))
    metafunc.parametrize("law", names, ids=names, indirect=True)


@pytest.fixture(scope="session")
def _sessions() -> Iterator[dict[str, Any]]:
    """The checks that are going on, by what they are of: their laws share episodes."""
    sessions: dict[str, Any] = {}
    yield sessions
    for session in sessions.values():
        session.subject.close()


def _session(sessions: dict[str, Any], target: Any, given: dict[str, Any]) -> Any:
    """The check of a target with these arguments."""
    from ludarium.envs.core.laws.session import Session
    from ludarium.envs.core.laws.subject import Subject

    own = {name: given.pop(name) for name in ("profile", "laws", "seed") if name in given}
    held = {name: given.pop(name) for name in ("guarded", "python", "limit", "memory") if name in given}
    key = repr((target, own, held, given))
    if key not in sessions:
        sessions[key] = Session(Subject(target, given, **held), **own)
    return sessions[key]


@pytest.fixture
def law(request: pytest.FixtureRequest, _sessions: dict[str, Any]) -> Callable[[], None]:
    """A function that holds one law against the marker's target; what is not claimed is a skip that says so."""
    marker = request.node.get_closest_marker("laws")
    if marker is None or not marker.args or not hasattr(request, "param"):
        raise pytest.UsageError("the fixture `law` needs a marker: @pytest.mark.laws('my_package:MyEnv')")
    name = request.param

    def hold() -> None:
        __tracebackhide__ = True
        row = _session(_sessions, marker.args[0], dict(marker.kwargs)).row(name)
        if row.verdict == "broken":
            pytest.fail("\n".join(row.failure.story), pytrace=False)
        if row.verdict != "kept":
            pytest.skip(f"{row.verdict}: {row.reason}")

    return hold


@pytest.fixture
def check_laws(_sessions: dict[str, Any]) -> Callable[..., Any]:
    """A function of a target (and the marker's arguments) that fails if a law is broken, and returns the report."""

    def hold(target: Any, **given: Any) -> Any:
        __tracebackhide__ = True
        report = _session(_sessions, target, given).report()
        if not report.ok:
            pytest.fail(str(report), pytrace=False)
        return report

    return hold
