"""The laws of environments, for anybody's: `ludarium check` from the command line, `check` from Python.

from ludarium.testing import check

report = check("CartPole-v1")
assert report.ok, report
"""

from __future__ import annotations

from ludarium.envs.core.laws.book import LAWS
from ludarium.envs.core.laws.cases import PROFILES, Case
from ludarium.envs.core.laws.outcome import Broken, CheckError, NotClaimed, Rejected
from ludarium.envs.core.laws.relations import Episode, Outcome, Relation
from ludarium.envs.core.laws.report import Failure, Report, Row
from ludarium.envs.core.laws.session import Session, check
from ludarium.envs.core.laws.subject import Subject

__all__ = [
    "LAWS", "PROFILES", "Broken", "Case", "CheckError", "Episode", "Failure", "NotClaimed", "Outcome", "Rejected", "Relation",
    "Report", "Row", "Session", "Subject", "check",
]  # fmt: skip
