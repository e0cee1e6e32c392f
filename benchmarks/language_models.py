"""What asking a language model costs this side: `python benchmarks/language_models.py [--calls N]`.

The endpoint is the fake server in a process of its own, so the CPU seconds here are the client's alone: request, HTTP,
reading, budgets, retries, ledger. Beside it, in the same run, the `openai` package alone with the same requests. 300
calls are made at once, 16 may be under way; the server says how many it saw.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from ludarium.agents.llm.budget import Budget, Limits, Prices
from ludarium.agents.llm.cassette import Cassette
from ludarium.agents.llm.client import Request
from ludarium.agents.llm.gateway import Account, Gateway
from ludarium.agents.llm.ledger import Ledger
from ludarium.agents.llm.limits import Limiter
from ludarium.agents.llm.openai_driver import OpenAIDriver

AT_ONCE = 300
CONCURRENCY = 16
SIZES = {
    "short (2 messages, 0.2 kB)": (2, 100),
    "history (40 messages, 8 kB)": (40, 200),
    "long (2 messages, 32 kB)": (2, 16_000),
}


@contextmanager
def endpoint(*options: str) -> Iterator[str]:
    """A fake server in a process of its own."""
    command = [sys.executable, "-m", "ludarium.agents.llm.fake_server", "--reply", "go to shelf 1", *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()


def requests(messages: int, characters: int, count: int) -> list[Request]:
    """Questions that differ in their last message."""
    words = ("you see a drawer 3, a shelf 1 and a mug 2 on it; " * (characters // 49 + 1))[:characters]
    roles = ("user", "assistant")
    history = tuple({"role": roles[n % 2], "content": words} for n in range(messages - 1))
    return [
        Request("tiny", (*history, {"role": "user", "content": f"{n} {words}"}), max_tokens=64) for n in range(count)
    ]


def cpu_ms(work: Callable[[], object], calls: int, repeats: int) -> float:
    """CPU milliseconds of one call: the median of some repeats."""
    found = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1000 / calls)
    return median(found)


def through_us(url: str, asked: list[Request], repeats: int, folder: Path) -> dict[str, float]:
    """Live, recording with a transcript, and replaying: all with budgets and prices."""
    prices, found = Prices({"tiny": (1, 1)}), {}
    path = folder / f"{len(asked[0].messages)}-{len(asked[0].messages[0]['content'])}"
    for mode in ("live", "record", "replay"):

        def play(mode: str = mode) -> None:
            ledger = None if mode == "live" else Ledger(path.with_suffix(".jsonl"))
            cassette = None if mode == "live" else Cassette(path.with_suffix(".cassette"), mode)
            driver = None if mode == "replay" else OpenAIDriver(url)
            budget = Budget(Limits(10**9, 10**12, 10**12), "run")
            limiter = Limiter(CONCURRENCY)
            with Gateway(
                driver, limiter=limiter, budget=budget, prices=prices, ledger=ledger, cassette=cassette
            ) as way:
                for n in range(0, len(asked), AT_ONCE):
                    some = asked[n : n + AT_ONCE]
                    way.call_all(some, [Account(f"e{n + i}") for i in range(len(some))])
                assert way.sent == (0 if mode == "replay" else len(asked))

        found[mode] = cpu_ms(play, len(asked), repeats)
    return found


def package_alone(url: str, asked: list[Request], repeats: int) -> float:
    """The `openai` package with the same requests, its answers read by itself."""
    import openai

    async def main() -> None:
        slots = asyncio.Semaphore(CONCURRENCY)
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

            async def one(request: Request) -> None:
                async with slots:
                    await client.chat.completions.create(
                        model=request.model, messages=list(request.messages), max_completion_tokens=request.max_tokens
                    )

            for n in range(0, len(asked), AT_ONCE):
                await asyncio.gather(*(one(request) for request in asked[n : n + AT_ONCE]))

    return cpu_ms(lambda: asyncio.run(main()), len(asked), repeats)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    print(f"CPU ms a call, {given.calls} calls, {AT_ONCE} at once, {CONCURRENCY} under way, median of {given.repeats}")
    print(f"{'request':30}{'openai alone':>14}{'live':>8}{'record':>8}{'replay':>8}")
    worst = 0.0
    with endpoint("--slow", "0.005") as url, tempfile.TemporaryDirectory() as folder:
        through_us(url, requests(2, 99, 50), 1, Path(folder))  # imports and connections
        for name, (messages, characters) in SIZES.items():
            asked = requests(messages, characters, given.calls)
            alone = package_alone(url, asked, given.repeats)
            ours = through_us(url, asked, given.repeats, Path(folder))
            worst = max(worst, ours["live"], ours["record"])
            print(f"{name:30}{alone:>14.2f}" + "".join(f"{ours[mode]:>8.2f}" for mode in ("live", "record", "replay")))
        with urllib.request.urlopen(f"{url}/counts") as response:
            peak = json.load(response)["peak"]
    print(f"most calls under way that the server saw: {peak} (bound {CONCURRENCY}); worst {worst:.2f} ms (bound 5)")
    if peak > CONCURRENCY or worst >= 5:
        raise SystemExit("a bound does not hold")


if __name__ == "__main__":
    main()
