"""A local model, tiny and random: what matters is that it is asked rightly, not what it says. `make test-local`."""

import json

import pytest
from llm_doubles import ask
from requirements import need

from ludarium.agents.llm.client import Driver, Request
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.local import LocalDriver
from ludarium.agents.llm.retry import RetryPolicy
from ludarium.errors import ConfigError, EndpointError, LLMError

pytestmark = pytest.mark.slow  # importing torch and transformers takes longer than the tests

WORDS = [
    "<pad>",
    "<end>",
    "<unk>",
    "system",
    "user",
    "assistant",
    ":",
    "go",
    "north",
    "take",
    "mug",
    "You",
    "play",
    ".",
]
TEMPLATE = "{% for m in messages %}{{ m['role'] }} : {{ m['content'] }} . {% endfor %}assistant :"


def tiny(template=TEMPLATE, window=64):
    """A model of two layers and its tokenizer of whole words, both made in memory."""
    need("transformers")
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<end>", unk_token="<unk>"
    )
    tokenizer.chat_template = template
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.LlamaConfig(
            vocab_size=len(WORDS), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=window, pad_token_id=0, eos_token_id=1, bos_token_id=None,
        )  # fmt: skip
        return transformers.LlamaForCausalLM(config), tokenizer


@pytest.fixture(scope="module")
def pair():
    return tiny()


def question(text="go north", **fields):
    return Request("tiny", ({"role": "user", "content": text},), **fields)


def test_it_answers_through_the_gateway(pair):
    with Gateway(LocalDriver(*pair)) as way:
        found = way.call_all([question("go north", max_tokens=5), question("take mug", max_tokens=5)])
    for answer in found:
        assert all(word in WORDS for word in answer.text.split())
        assert answer.usage.prompt == 7  # user : go north . assistant :
        assert not answer.usage.estimated
        assert answer.usage.completion <= 5
        if answer.usage.completion < 5:
            assert answer.finish == "stop"
    assert isinstance(LocalDriver(*pair), Driver)


def test_greedy_answers_are_the_models_own(pair):
    """Token by token against the model's own arg max."""
    import torch

    model, tokenizer = pair
    with Gateway(LocalDriver(model, tokenizer)) as way:
        answer = way.call(question(max_tokens=6))
    ids = tokenizer("user : go north . assistant :", return_tensors="pt")["input_ids"]
    said = []
    for _ in range(6):
        token = int(model(ids).logits[0, -1].argmax())
        said.append(token)
        if token == 1:
            break
        ids = torch.cat([ids, torch.tensor([[token]])], dim=1)
    assert answer.text == tokenizer.decode(said, skip_special_tokens=True)
    assert answer.finish == ("stop" if said[-1] == 1 else "length")
    assert answer.usage.completion == len(said)


def test_sampling_follows_the_seed_and_leaves_the_worlds_chance_alone(pair):
    import torch

    with Gateway(LocalDriver(*pair)) as way:
        torch.manual_seed(3)
        state = torch.random.get_rng_state()
        texts = [way.call(question(temperature=5.0, seed=seed, max_tokens=12)).text for seed in (1, 2, 1, 2, 3, 4)]
        assert torch.equal(torch.random.get_rng_state(), state)
        assert texts[:2] == texts[2:4]
        assert len(set(texts)) > 1
        unseeded = [way.call(question(temperature=5.0, max_tokens=12)).text for _ in range(2)]
        assert unseeded[0] == unseeded[1]


def test_a_stop_cuts_the_answer(pair):
    with Gateway(LocalDriver(*pair)) as way:
        whole = way.call(question(temperature=5.0, seed=1, max_tokens=20))
        word = whole.text.split()[3]
        cut = way.call(question(temperature=5.0, seed=1, max_tokens=20, stop=(word,)))
    assert cut.text == whole.text[: whole.text.index(word)]
    assert cut.finish == "stop"
    assert cut.usage.completion < whole.usage.completion


def test_without_a_template_prompts_are_lines():
    with Gateway(LocalDriver(*tiny(template=None))) as way:
        assert way.call(question(max_tokens=2)).usage.prompt == 6  # user : go north, assistant :


def test_a_prompt_beyond_the_window_is_typed(pair):
    with Gateway(LocalDriver(*pair)) as way:
        with pytest.raises(EndpointError) as caught:
            way.call(question("go " * 100))
        assert caught.value.kind == "large"
        near = way.call(question("go " * 56, max_tokens=500))
    assert near.usage.total <= 64


def test_what_it_cannot_do_it_says(pair):
    with Gateway(LocalDriver(*pair)) as way:
        with pytest.raises(LLMError, match="scaffold"):
            way.call(ask(tools=({"type": "function", "function": {"name": "go"}},)))
        with pytest.raises(LLMError, match="top_p"):
            way.call(ask(extra={"top_p": 1}))
    with pytest.raises(ConfigError, match="tokenizer"):
        LocalDriver(pair[0])


def test_models_lie_in_folders(pair, tmp_path):
    for part in pair:
        part.save_pretrained(tmp_path / "model")
    with Gateway(LocalDriver(*pair)) as mine, Gateway(LocalDriver(str(tmp_path / "model"))) as loaded:
        assert loaded.call(question(max_tokens=8)).text == mine.call(question(max_tokens=8)).text
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no local causal language model"):
        LocalDriver(str(tmp_path / "empty"))


def test_a_folders_own_code_is_never_run(pair, tmp_path):
    folder = tmp_path / "model"
    for part in pair:
        part.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ConfigError):
        LocalDriver(str(folder))
    assert not (tmp_path / "ran").exists()


def test_whoever_runs_out_of_time_leaves_no_generation_running():
    model, tokenizer = tiny(window=100_000)
    model.generation_config.eos_token_id = None
    driver = LocalDriver(model, tokenizer)
    with Gateway(driver, retry=RetryPolicy(tries=1, timeout_s=0.2)) as way:
        with pytest.raises(EndpointError) as caught:
            way.call(question(max_tokens=90_000))
        assert caught.value.kind == "timeout"
        assert driver._lock.acquire(timeout=60)  # whole, the answer would take many minutes
