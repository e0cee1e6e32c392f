"""The pytest plugin: light to load, one test a law, and a report that names the broken one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

MARKED = """
import pytest

@pytest.mark.laws("worlds:{world}", laws={laws})
def test_laws(law):
    law()
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder of somebody's, with an environment and no more."""
    pytester.makepyfile(worlds=(Path(__file__).parent / "worlds.py").read_text())
    return pytester


def test_loading_it_imports_nothing_heavy_and_takes_no_time() -> None:
    program = (
        "import json, sys, time, pytest\nbefore = set(sys.modules)\nimport pytest_ludarium\n"
        "spent = []\n"
        "for _ in range(5):\n"
        "    del sys.modules['pytest_ludarium']\n    began = time.process_time()\n    import pytest_ludarium\n"
        "    spent.append(time.process_time() - began)\n"
        "print(json.dumps([sorted(set(sys.modules) - before), min(spent)]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    added, seconds = json.loads(done.stdout)
    assert added == ["pytest_ludarium"]
    assert seconds < 0.005


def test_a_run_of_pytest_without_laws_loads_neither_numba_nor_hypothesis(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import sys

        def test_light():
            assert not {"numba", "gymnasium", "ludarium"} & set(sys.modules)
        """
    )
    done = suite.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:xdist")
    done.assert_outcomes(passed=1)


def test_each_law_is_a_test_that_is_named_after_it(suite: pytest.Pytester) -> None:
    suite.makepyfile(MARKED.format(world="Counter", laws="None"))
    listed = suite.runpytest_subprocess("--collect-only", "-q", "--rootdir=.")
    from ludarium.testing import LAWS

    assert [line.split("::")[1] for line in listed.outlines if "::" in line] == [f"test_laws[{law}]" for law in LAWS]


def test_the_report_names_the_broken_law_and_tells_its_story(suite: pytest.Pytester) -> None:
    suite.makepyfile(MARKED.format(world="WrongTypes", laws='["repeatable", "reward_and_flags"]'))
    done = suite.runpytest_subprocess("-v", "--strict-markers")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        ["*test_laws[[]reward_and_flags[]] FAILED*", "=> reward_and_flags: step 1: the reward is '0' of str*"]
    )


def test_what_is_not_claimed_is_skipped_by_name(suite: pytest.Pytester) -> None:
    suite.makepyfile(MARKED.format(world="Counter", laws='["repeatable", "snapshot", "reward_and_flags"]'))
    done = suite.runpytest_subprocess("-rs")
    done.assert_outcomes(passed=2, skipped=1)
    done.stdout.fnmatch_lines(["*not claimed: it has no snapshot and restore*"])


def test_one_fixture_holds_all_laws(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from worlds import Counter, WrongTypes

        def test_counter(check_laws):
            assert check_laws(Counter).broken == []

        def test_wrong(check_laws):
            check_laws(WrongTypes, laws=["reward_and_flags", "info"])
        """
    )
    done = suite.runpytest_subprocess()
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        ["*worlds:WrongTypes: 2 broken laws of 2 (dev)*", "*reward_and_flags: step 1: the reward is '0' of str*"]
    )


def test_a_mistake_in_the_marker_is_named(suite: pytest.Pytester) -> None:
    suite.makepyfile(MARKED.format(world="Counter", laws='["repeatabel"]'))
    done = suite.runpytest_subprocess()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*no law 'repeatabel'; did you mean 'repeatable'?*"])
