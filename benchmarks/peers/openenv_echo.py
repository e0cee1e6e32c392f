"""OpenEnv's server around an environment that echoes, for `benchmarks/serving.py`; prints its port."""

import socket

import uvicorn
from openenv.core.env_server.http_server import create_fastapi_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State


class EchoAction(Action):
    message: str


class EchoObservation(Observation):
    echoed: str


class Echo(Environment):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        super().__init__()
        self._steps = 0

    def reset(self, seed=None, episode_id=None):
        self._steps = 0
        return EchoObservation(echoed="ready", done=False, reward=0.0)

    def step(self, action, timeout_s=None):
        self._steps += 1
        return EchoObservation(echoed=action.message, done=False, reward=0.0)

    @property
    def state(self):
        return State(episode_id="echo", step_count=self._steps)


if __name__ == "__main__":
    app = create_fastapi_app(Echo, EchoAction, EchoObservation, max_concurrent_envs=64)
    with socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    ) as bound:  # so that asyncio sends at once
        bound.bind(("127.0.0.1", 0))
        print(bound.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[bound])
