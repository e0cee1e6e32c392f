"""Words of the board: what tracks measure and in which units, what statuses, flags and tiers mean."""

from __future__ import annotations

from ludarium.leaderboards.track import BOUNDED, Track

__all__ = ["ASIDE", "CLASSES", "FLAGS", "REPORTED", "TIERS", "family", "metric", "unit"]

FAMILIES = {
    "mapf": "Path finding",
    "fleet": "Fleet scheduling",
    "arc": "Abstraction and reasoning",
    "web": "Web and GUI",
    "text": "Household and tool use in text",
    "econ": "Economies",
}
_UNITS = {
    "throughput": "goals reached a step",
    "success": "part of tasks that succeed",
    "isr": "part of agents that reach their goal",
    "csr": "part of episodes in which all reach their goals",
    "normalized_score": "part of the points there are",
    "sum_of_costs": "steps of all agents together",
    "makespan": "steps",
    "steps": "steps",
}
CLASSES = {"planner": "planner", "learned": "learned policy", "llm": "language model", "human": "human"}
TIERS = {
    "replayed": "Public seeds. The score belongs to what was done; that it was found online, alone and without the simulator "
    "is not proved.",
    "sealed": "Seeds that follow from a secret of the board and from what the entrant committed to before: nobody chose them, "
    "and there was one attempt.",
    "hosted": "The board drew the seeds and played the world itself: the agent saw what an agent may see, one step at a "
    "time.",
}
ASIDE = {
    "waiting": "waiting for verification",
    "verifying": "being verified",
    "stuck": "verification failed for a reason that is not its own",
    "rejected": "rejected",
    "retracted": "retracted",
    "erased": "erased",
    "superseded": "superseded",
    "stale": "of another version",
}
FLAGS = {
    "missing": "episodes are missing and count as worst",
    "duplicate": "trials of one seed are the same play",
    "version": "played with another version of the suite",
    "kernels": "played by other kernels",
    "latency": "reported times that cannot be, or none",
    "lost": "turns were lost to faults of the agent",
    "guard": "the verifier was not wholly confined",
}


def told_by(tier: str, name: str) -> str:
    """Who says what an episode took: of a hosted one the board's own clock has the time."""
    return "by the board's clock" if (tier, name) == ("hosted", "wall_s") else "self-reported"


REPORTED = {"wall_s": "time", "micro_dollars": "cost", "tokens": "tokens", "calls": "model calls"}


def family(track: Track) -> str:
    """The family of a track's world, in words."""
    own = track.world.environment.partition("-")[0].rpartition(":")[2]
    return FAMILIES.get(own, own)


def metric(track: Track) -> str:
    """What a track measures, in words."""
    return track.metric.replace("_", " ")


def unit(track: Track) -> str:
    """The unit of a track's scores."""
    if track.metric.endswith(BOUNDED):
        return f"times the bound of each instance on {track.metric.removesuffix(BOUNDED).replace('_', ' ')}"
    return _UNITS.get(track.metric, metric(track))
