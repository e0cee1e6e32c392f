"""A causal language model in this process, through `transformers`: no server, no network, and slow without a GPU."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from ludarium.agents.llm.client import Completion, Request, Usage
from ludarium.envs.core.errors import ConfigError, EndpointError, LLMError, MissingExtraError

__all__ = ["LocalDriver"]


class LocalDriver:
    """Generates with a model that lies in a folder (or in the cache of `transformers`), or with a model and its tokenizer.

    One answer at a time. Greedy where the request names no temperature, or 0; else it samples from the request's `seed`
    (0 where there is none), so that equal requests have equal answers. Prompts take the tokenizer's chat template; without
    one, `role: content` lines. It has no native tool calls. A folder's own code is never run.

    Raises `MissingExtraError` without the extra `local`, `ConfigError` for a folder that holds no model.
    """

    def __init__(self, model: Any, tokenizer: Any = None, *, device: str = "cpu") -> None:
        self.secrets: tuple[str, ...] = ()
        self._lock = threading.Lock()
        try:
            import torch
            import transformers
        except ImportError as error:
            raise MissingExtraError(error.name or "transformers", "local") from error
        self._torch = torch
        if isinstance(model, str):
            try:
                tokenizer = tokenizer or transformers.AutoTokenizer.from_pretrained(model, local_files_only=True)
                model = transformers.AutoModelForCausalLM.from_pretrained(
                    model,
                    local_files_only=True,
                    use_safetensors=True,  # a pickled weight file is a program
                )
            except (OSError, ValueError) as error:
                said = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise ConfigError(f"{model!r} is no local causal language model: {said}") from error
        if tokenizer is None:
            raise ConfigError("a model given as an object needs its tokenizer")
        self._model, self._tokenizer = model.to(device).eval(), tokenizer

    async def complete(self, request: Request) -> Completion:
        """Generate an answer; a prompt beyond the model's window is an `EndpointError` of kind `large`."""
        if request.tools:
            raise LLMError("a local model has no native tool calls; choose a scaffold that asks for text")
        if request.extra:
            raise LLMError(f"a local model takes no further options; got {', '.join(sorted(request.extra))}")
        stop = threading.Event()
        try:
            return await asyncio.to_thread(self._generate, request, stop)
        finally:
            stop.set()  # whoever is cancelled leaves no generation running

    async def close(self) -> None:
        """There is nothing to close."""

    def _generate(self, request: Request, stop: threading.Event) -> Completion:
        torch, most = self._torch, request.max_tokens or 256
        with self._lock, torch.inference_mode():
            ids = self._prompt(request).to(self._model.device)
            room = getattr(self._model.config, "max_position_embeddings", None)
            if room is not None and ids.shape[1] >= room:
                raise EndpointError(
                    f"the prompt has {ids.shape[1]} tokens; the model's window holds {room}", kind="large"
                )
            if room is not None:
                most = min(most, room - ids.shape[1])
            sampling: dict[str, Any] = {"do_sample": False}
            if request.temperature:
                sampling = {"do_sample": True, "temperature": request.temperature, "top_k": 0}
            devices = [self._model.device] if self._model.device.type == "cuda" else []
            with torch.random.fork_rng(devices=devices):
                torch.manual_seed(request.seed or 0)
                out = self._model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=most,
                    pad_token_id=self._padding(),
                    stopping_criteria=[self._stopper(request, ids.shape[1], stop)],
                    **sampling,
                )
        return self._completion(request, ids.shape[1], out[0, ids.shape[1] :].tolist(), most)

    def _prompt(self, request: Request) -> Any:
        messages = [{"role": m["role"], "content": m.get("content") or ""} for m in request.messages]
        if getattr(self._tokenizer, "chat_template", None):
            text = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
            return self._tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
        text = "".join(f"{m['role']}: {m['content']}\n" for m in messages) + "assistant:"
        return self._tokenizer(text, return_tensors="pt")["input_ids"]

    def _padding(self) -> int:
        ids = (self._tokenizer.pad_token_id, self._tokenizer.eos_token_id, 0)
        return next(int(n) for n in ids if n is not None)

    def _stopper(self, request: Request, start: int, stop: threading.Event) -> Any:
        def stopped(ids: Any, scores: Any, **_: Any) -> Any:
            said = self._tokenizer.decode(ids[0, start:], skip_special_tokens=True) if request.stop else ""
            over = stop.is_set() or any(text in said for text in request.stop)
            return self._torch.full((ids.shape[0],), over, dtype=self._torch.bool, device=ids.device)

        return stopped

    def _completion(self, request: Request, prompt: int, ids: list[int], most: int) -> Completion:
        text = self._tokenizer.decode(ids, skip_special_tokens=True)
        ends = [at for at in (text.find(stop) for stop in request.stop) if at >= 0]
        ended = bool(ids) and ids[-1] in _ends_of(self._model, self._tokenizer)
        return Completion(
            text=text[: min(ends)] if ends else text,
            finish="stop" if ends or ended or len(ids) < most else "length",
            usage=Usage(prompt, len(ids)),
            model=request.model,
        )


def _ends_of(model: Any, tokenizer: Any) -> set[int]:
    given = getattr(model.generation_config, "eos_token_id", None)
    found = set(given) if isinstance(given, list) else {given}
    return {n for n in {*found, tokenizer.eos_token_id} if n is not None}
