"""The whole grade of a conversation from its log alone: on fresh tables all its calls run again, and so does the gold plan.

This is what a judge does who trusts nothing that was kept while the conversation ran. `Game.grade` says the same from the
tables at hand, and costs less.
"""

from __future__ import annotations

from typing import NamedTuple

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.text.desk.dynamics import Game, Grade
from ludarium.envs.text.desk.goal import reached
from ludarium.envs.text.desk.tasks import desk_on, run_plan, writes_of

__all__ = ["Regrade", "regrade"]


class Regrade(NamedTuple):
    """What came of running it all again."""

    grade: Grade
    same: bool
    """Whether every call had the result that the log holds, and the databases come to the same hashes."""
    exact: bool
    """Whether both databases are, by their hashes, the very ones that the gold plan leaves (a goal may accept others too)."""


def regrade(game: Game) -> Regrade:
    """Grade a conversation from its task and its log; `InstanceError` if the gold plan itself misses the goal."""
    task, bases = game.task, (game.start[0].base, game.start[1].base)
    again = Game.on(game.domain, task, desk_on(game.domain, *bases, task), game.most_errors, game.most_tokens)
    again.rerun(game.log)
    gold = desk_on(game.domain, *bases, task)
    run_plan(game.domain, gold, writes_of(task))
    begin = again.start
    if not (reached(begin[0], gold.db, task["goal"]) and reached(begin[1], gold.user_db, task["user_goal"])):
        raise InstanceError(f"the gold plan of task {task.get('id', '')!r} does not reach its goal")
    now = (again.desk.db.hash(), again.desk.user_db.hash())
    same = again.chain == game.chain and now == (game.desk.db.hash(), game.desk.user_db.hash())
    return Regrade(again.grade(), same, now == (gold.db.hash(), gold.user_db.hash()))
