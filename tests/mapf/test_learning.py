"""A learner that knows nothing of us learns: Stable-Baselines3's PPO in one seat, PIBT in the others."""

import gymnasium as gym
import numpy as np
import pytest

import ludarium  # noqa: F401  (registers the ids)

WORLD = {"seat": "robot_0", "others": "pibt", "size": 8, "num_robots": 4, "max_steps": 64}


def mean_return(act, episodes=50):
    env = gym.make("mapf-lifelong-v0", **WORLD)
    returns = []
    for episode in range(episodes):
        observation, _ = env.reset(seed=10_000 + episode)
        total, over = 0.0, False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(act(observation))
            total += reward
            over = terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ppo_learns_to_reach_goals(seed):
    import torch  # the extra `learn`, which `make test-slow` installs
    from stable_baselines3 import PPO

    torch.set_num_threads(1)
    space = gym.make("mapf-lifelong-v0", **WORLD).action_space
    space.seed(seed)
    random = mean_return(lambda _: space.sample())
    env = gym.make("mapf-lifelong-v0", **WORLD)
    model = PPO(
        "MlpPolicy",
        env,
        seed=seed,
        n_steps=512,
        batch_size=128,
        gamma=0.95,
        ent_coef=0.01,
        learning_rate=1e-3,
        device="cpu",
    )
    model.learn(30_000)
    learned = mean_return(lambda observation: int(model.predict(observation, deterministic=False)[0]))
    assert learned >= 2 * random
