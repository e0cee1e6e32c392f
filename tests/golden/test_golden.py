"""A change of any trajectory of a registered id shows here; it needs a line in CHANGELOG.md and new digests."""

import json

import pytest
from golden.make import FILE, SEEDS, digest

TABLE = json.loads(FILE.read_text())


@pytest.mark.parametrize("name", sorted(TABLE))
def test_digests_are_as_recorded(name):
    found = [digest(name, seed) for seed in SEEDS]
    assert found == TABLE[name]


def test_what_is_looked_at_does_not_change_the_world():
    for options in ({"observation": "none"}, {"dtype": "uint8", "radius": 3}, {"observation": "pomapf"}):
        assert digest("mapf-lifelong-v0", 0, **options) == TABLE["mapf-lifelong-v0"][0]
