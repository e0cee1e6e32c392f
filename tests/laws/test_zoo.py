"""The laws against the zoo: each planted bug is named, and told in its shortest episode; each clean twin keeps all laws.

What is tried here is a small, fixed share of what `benchmarks/zoo.py` tries.
"""

from __future__ import annotations

import pytest
from laws.zoo.planted import World, zoo

from ludarium.envs.core.laws.cases import Profile
from ludarium.testing import LAWS, Report, check

WORLDS = zoo()
PLANTED = Profile("zoo", 8, 256, 1, children=False, derandomize=True)
CLEAN = Profile("twin", 3, 256, 1, children=False, derandomize=True)


def held(world: World, profile: Profile, **options: bool) -> Report:
    bug = world.bug
    profile = profile._replace(children=bug.children)
    return check(
        world.path, profile=profile, seed=7, guarded=bug.guarded, limit=bug.limit, memory=bug.memory, **options
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_planted_bug_is_named_first_and_told_shortly(world: World) -> None:
    report = held(world, PLANTED._replace(cases=world.bug.cases))
    assert report.broken, "no law is broken"
    assert report.broken[0] == world.bug.primary, str(report)
    assert set(report.broken) <= {world.bug.primary, *world.bug.may_fall}, str(report)
    failure = report[world.bug.primary].failure
    assert failure is not None
    assert abs(failure.steps - world.bug.shortest) <= 1, "\n".join(failure.story)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_clean_twin_keeps_all_laws(world: World) -> None:
    report = held(world, CLEAN, clean=True)
    assert not report.broken, str(report)
    assert report[world.bug.primary].verdict == "kept", report[world.bug.primary].reason


def test_zoo_is_large_and_every_law_has_a_world() -> None:
    assert len(WORLDS) >= 34
    assert {world.bug.primary for world in WORLDS} == set(LAWS)
