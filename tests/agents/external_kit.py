"""Programs and servers that misbehave in one way each, and an episode with them."""

import sys
import textwrap

import numpy as np

from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.leaderboards.guarded import Guarded

PROGRAM = """
import json, os, sys, time
AT = 3

def say(text):
    os.write(1, text if isinstance(text, bytes) else text.encode() + b"\\n")

def reply(message, **more):
    return {**{k: message[k] for k in ("type", "version", "episode", "step")}, **more}

def act(message):
    say(json.dumps(reply(message, actions={seat: 1 for seat in message["turns"]})))

MODE = sys.argv[1]
for line in sys.stdin:
    message = json.loads(line)
    kind, step = message["type"], message["step"]
    if kind == "hello":
        if MODE == "hello-view": say(json.dumps(reply(message, view="smell")))
        elif MODE == "hello-version": say(json.dumps({**reply(message), "version": 7}))
        elif MODE == "hello-dies": sys.exit("no weights found")
        else: say(json.dumps(reply(message, view=os.environ.get("VIEW", "array"))))
    elif kind == "start" and MODE == "start-dies": sys.exit(3)
    elif kind == "start" and MODE == "start-hangs": time.sleep(3600)
    elif kind != "act": say(json.dumps(reply(message)))
    elif step == AT and MODE == "dies": sys.exit(9)
    elif step == AT and MODE == "killed": os.kill(os.getpid(), 11)
    elif step >= AT and MODE == "hangs": time.sleep(3600)
    elif step == AT and MODE == "slow-once": time.sleep(0.7); act(message)
    elif step == AT and MODE == "floods-line":
        while True: os.write(1, b"x" * 65536)
    elif step == AT and MODE == "floods-lines":
        while True: os.write(1, b"{}" * 100 + b"\\n")
    elif step == AT and MODE == "floods-errors":
        while True: os.write(2, b"x" * 65536)
    elif step == AT and MODE == "other-step": say(json.dumps({**reply(message, actions={}), "step": step + 1}))
    elif step == AT and MODE == "earlier-step": say(json.dumps({**reply(message, actions={}), "step": step - 1}))
    elif step == AT and MODE == "other-episode": say(json.dumps({**reply(message, actions={}), "episode": "of another"}))
    elif step == AT and MODE == "no-episode": say(json.dumps({"type": "act", "version": 1, "step": step, "actions": {}}))
    elif step == AT and MODE == "true-step": say(json.dumps({**reply(message, actions={}), "step": True}))
    elif step == AT and MODE == "other-type": say(json.dumps({**reply(message), "type": "finish"}))
    elif step == AT and MODE == "nonsense": say("fly to the moon")
    elif step == AT and MODE == "empty": say("")
    elif step == AT and MODE == "list": say("[1, 2]")
    elif step == AT and MODE == "deep": say("[" * 100000)
    elif step == AT and MODE == "nan": say(json.dumps(reply(message, actions={"robot_0": float("nan"), "robot_1": 1})))
    elif step == AT and MODE == "huge": say(json.dumps(reply(message, actions={"robot_0": 10**30, "robot_1": 10**30})))
    elif step == AT and MODE == "digits": say('{"type": ' + "9" * 10000 + "}")
    elif step == AT and MODE == "surrogate": say(json.dumps(reply(message, actions={"robot_0": "\\ud800", "robot_1": 1})))
    elif step == AT and MODE == "no-actions": say(json.dumps(reply(message)))
    elif step == AT and MODE == "short-list": say(json.dumps(reply(message, actions=[1])))
    elif step == AT and MODE == "bad-note":
        say(json.dumps(reply(message, actions={"robot_0": 1}, notes={"robot_0": {"usage": {"tokens": -5}}})))
    elif step == AT and MODE == "reports": say(json.dumps({**reply(message), "type": "error", "message": "I am lost"}))
    elif step == AT and MODE == "reports-bare": say(json.dumps({"type": "error", "version": 1, "message": "what?"}))
    elif step == AT and MODE == "binary": say(bytes(range(256)).replace(b"\\n", b"") + b"\\n")
    elif step == AT and MODE == "closes": os.close(1); time.sleep(3600)
    elif step == AT and MODE == "deaf": os.close(0); act(message); time.sleep(3600)
    elif step == AT and MODE == "half": say(b'{"type": "ac'); time.sleep(3600)
    elif MODE == "twice": act(message); act(message)
    elif MODE == "noisy": os.write(2, b"thinking ...\\n" * 1000); act(message)
    else: act(message)
"""


def program(folder):
    """Write the program; return how it is named, up to its mode."""
    path = folder / "bad agent.py"
    path.write_text(textwrap.dedent(PROGRAM))
    return f"cmd:{sys.executable} '{path}' "


def small_batch(steps=8):
    batch = Batch(make_simulator("mapf-lifelong-v0", num_robots=2, size=7, max_steps=steps), 1, "mapf-lifelong-v0")
    one = np.ones(1, np.bool_)
    batch.seed(one, [0])
    batch.reset(one)
    return batch


def play(agent, batch=None):
    """Play an episode as runs do; return what was lost, and the finished batch."""
    batch = batch or small_batch()
    made = make_agent(agent) if isinstance(agent, str) else agent
    crew = Guarded(batch, [(made, batch.simulator.seats)])
    crew.start(1)
    while not batch.over[0]:
        crew.act()
        batch.step()
    crew.finish(batch.result())
    return dict(crew.lost), batch
