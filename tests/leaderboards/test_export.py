"""Exports hold what was played: they are compared with the environments that users step themselves."""

import json

import gymnasium
import minari
import numpy as np
import pyarrow.parquet as pq
import pytest

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.errors import MissingExtraError, RunError
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.export import export


@pytest.fixture(scope="module")
def episodes(finished):
    """The episodes of one agent as `gymnasium.make` gives them, stepped by the recorded actions."""
    found = {}
    for row in finished.rows:
        if row["agent"] == "pibt":
            trace = Trace.load(finished.root / row["trace"])
            environment = gymnasium.make(trace.id, **trace.header["config"])
            seen = [environment.reset(seed=row["seed"])[0]]
            steps = []
            for actions in trace.actions[0]:
                observation, reward, terminated, truncated, info = environment.step(actions.astype(np.int64))
                seen.append(observation)
                steps.append((reward, terminated, truncated, np.array(info["rewards"])))
            found[row["case"], row["seed"]] = seen, trace.actions[0], steps
    assert len(found) == 8
    return found


def test_json_lines(finished, tmp_path, episodes):
    made = export(finished.root, "jsonl", tmp_path / "steps.jsonl", agents=["pibt"])
    lines = [json.loads(line) for line in made.path.read_text().splitlines()]
    assert made[1:3] == (8, 8 * 80) == (8, len(lines))
    for line in lines:
        seen, actions, steps = episodes[line["case"], line["seed"]]
        n = line["step"]
        assert line["seats"] == [f"robot_{i}" for i in range(len(actions[n]))]
        assert line["actions"] == actions[n].tolist()
        assert line["reward"] == steps[n][3].tolist()
        assert line["truncated"] == steps[n][2] == (n == 79)
        assert np.array_equal(np.array(line["observations"], np.float32), seen[n])


def test_json_lines_without_observations(finished, tmp_path):
    made = export(finished.root, "jsonl", tmp_path / "steps.jsonl", observations=False)
    first = json.loads(made.path.read_text().splitlines()[0])
    assert (made.episodes, made.steps) == (16, 16 * 80)
    assert "observations" not in first


def test_parquet(finished, tmp_path, episodes):
    made = export(finished.root, "parquet", tmp_path / "steps.parquet", agents=["pibt"])
    table = pq.read_table(made.path).to_pydict()
    assert len(table["step"]) == 4 * 80 * (2 + 4)
    assert not (tmp_path / "steps.parquet.part").exists()
    for k in range(0, len(table["step"]), 37):
        seen, actions, steps = episodes[table["case"][k], table["seed"][k]]
        n, i = table["step"][k], int(table["seat"][k].split("_")[1])
        assert table["action"][k] == actions[n][i]
        assert table["reward"][k] == steps[n][3][i]
        assert np.array_equal(np.array(table["observation"][k], np.float32), seen[n][i].reshape(-1))


def test_minari(finished, tmp_path, monkeypatch, episodes):
    made = export(finished.root, "minari", tmp_path / "sets", agents=["pibt"])
    assert made.datasets == ("tiny/two/pibt-v1", "tiny/four/pibt-v1")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "sets"))
    for name in made.datasets:
        case = name.split("/")[1]
        data = minari.load_dataset(name)
        assert data.total_episodes == 4
        for number, episode in enumerate(data.iterate_episodes()):
            seen, actions, steps = episodes[case, number]
            assert np.array_equal(episode.observations, np.stack(seen))
            assert np.array_equal(episode.actions, actions)
            assert np.allclose(episode.rewards, [step[0] for step in steps], rtol=0, atol=0)
            assert episode.truncations.tolist() == [step[2] for step in steps]
            assert data.action_space.contains(episode.actions[0])


def test_mistakes_of_export_are_named(finished, tmp_path, monkeypatch):
    with pytest.raises(RunError, match="no export is named 'parket'; did you mean 'parquet'"):
        export(finished.root, "parket")
    with pytest.raises(RunError, match="has no agent 'pibtt'; did you mean 'pibt'"):
        export(finished.root, "jsonl", agents=["pibtt"])
    with pytest.raises(RunError, match="holds observations"):
        export(finished.root, "minari", tmp_path / "x", observations=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        export(finished.root, "jsonl", tmp_path / "file" / "steps.jsonl")
    import builtins

    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] in ("pyarrow", "minari"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    for to in ("parquet", "minari"):
        with pytest.raises(MissingExtraError, match=r"ludarium\[export\]"):
            export(finished.root, to, tmp_path / to)
