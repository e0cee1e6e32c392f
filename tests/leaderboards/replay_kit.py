"""Movies of boards without a process for each."""

from ludarium.leaderboards import child
from ludarium.leaderboards.board import filming
from ludarium.leaderboards.examine import Examiner
from ludarium.leaderboards.judging import ordered_track


class Home:
    """Films in this process what a guarded one would, and counts; `ask` is what `child.ask` is."""

    def __init__(self):
        self.examiners, self.asked = {}, []

    def ask(self, module, order, data, guard):
        assert module == filming.__name__
        track = order["track"], str(order["seeds"])
        if track not in self.examiners:
            self.examiners[track] = Examiner(ordered_track(order))
        self.asked.append(list(order["numbers"]))
        return child.Ended(filming._filmed(self.examiners[track], order, data), "")
