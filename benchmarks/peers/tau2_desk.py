"""tau2-bench's retail desk, run in its own interpreter: CPU seconds of a hash, a grade, a load and a tool call, as JSON.

`TAU2_DATA_DIR` names the `data` folder of a checkout. The grade is of an empty trajectory, the cheapest there is.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from loguru import logger

logger.remove()
from tau2.domains.retail.environment import get_environment, get_tasks  # type: ignore  # noqa: E402
from tau2.evaluator.evaluator_env import EnvironmentEvaluator  # type: ignore  # noqa: E402


def seconds(work: Callable[[], object], times: int, repeats: int = 3) -> float:
    """CPU seconds of one call: the median of some repeats."""
    found = []
    for _ in range(repeats):
        began = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - began) / times)
    return statistics.median(found)


def main() -> None:
    """Measure, and print one line."""
    environment, task = get_environment(), get_tasks()[0]
    db = environment.tools.db
    user = next(iter(db.users))

    def grade() -> object:
        return EnvironmentEvaluator.calculate_reward(get_environment, task, [])

    def call() -> object:
        return environment.make_tool_call("get_user_details", requestor="assistant", user_id=user)

    found = {
        "load": seconds(get_environment, 5),
        "hash": seconds(environment.get_db_hash, 10),
        "grade": seconds(grade, 5),
        "call": seconds(call, 2000),
        "users": len(db.users),
        "orders": len(db.orders),
        "bytes": len(db.model_dump_json()),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
