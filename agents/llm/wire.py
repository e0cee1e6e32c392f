"""The two forms of OpenAI's protocol as the fake server reads and writes them: chat completions and responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.agents.llm.client import Request, ToolCall, canonical
from ludarium.agents.llm.faults import Fault
from ludarium.agents.llm.tokens import count_tokens, prompt_tokens

if TYPE_CHECKING:
    from ludarium.agents.llm.fake_server import Reply

__all__ = ["answer", "cut", "limit_of", "messages_of", "tools_of"]


def limit_of(body: dict[str, Any]) -> int | None:
    """The most tokens that a request wants."""
    named = (body.get(name) for name in ("max_completion_tokens", "max_output_tokens", "max_tokens"))
    return next((n for n in named if isinstance(n, int)), None)


def cut(reply: Reply, limit: int | None) -> Reply:
    """The reply as a model gives it that may write no more than `limit` tokens."""
    if limit is None or count_tokens(reply.text) <= limit:
        return reply
    text = reply.text[: limit * 6]
    while count_tokens(text) > limit:
        text = text[: len(text) - max(1, len(text) // 10)]
    return reply._replace(text=text, finish="length")


def messages_of(api: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a request in the form of chat completions."""
    if api == "chat":
        return list(body.get("messages", []))
    found: list[dict[str, Any]] = []
    for item in body.get("input", []):
        if item.get("type") == "function_call":
            call = {"name": item["name"], "arguments": item["arguments"]}
            calls = [{"id": item["call_id"], "type": "function", "function": call}]
            if found and found[-1]["role"] == "assistant":
                found[-1] = {**found[-1], "tool_calls": found[-1].get("tool_calls", []) + calls}
            else:
                found.append({"role": "assistant", "content": None, "tool_calls": calls})
        elif item.get("type") == "function_call_output":
            found.append({"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]})
        else:
            found.append({"role": item["role"], "content": item["content"]})
    return found


def tools_of(api: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The tools of a request in the form of chat completions."""
    if api == "chat":
        return list(body.get("tools", []))
    return [
        {"type": "function", "function": {k: v for k, v in tool.items() if k not in ("type", "strict")}}
        for tool in body.get("tools", [])
    ]


def answer(api: str, body: dict[str, Any], reply: Reply, fault: Fault | None) -> dict[str, Any]:
    """The body of an answer, with the fault that lies in its content."""
    kind = "" if fault is None else fault.kind
    if fault is not None and kind == "long":
        reply = reply._replace(text="x" * fault.size)
    if kind == "empty":
        reply = reply._replace(text="", tool_calls=(), finish="stop")
    if kind == "truncated":
        reply = reply._replace(text=reply.text[: max(1, len(reply.text) // 2)], finish="length")
    form = _chat if api == "chat" else _responses
    content: dict[str, Any] = form(body, reply, "I cannot help with that." if kind == "refusal" else None)
    if kind == "nochoices":
        content["choices" if api == "chat" else "output"] = []
    if kind == "nomessage":
        content["choices" if api == "chat" else "output"] = [{"index": 0}]
    if kind == "nousage":
        del content["usage"]
    if kind == "wrongusage":
        content["usage"] = dict.fromkeys(content["usage"], -5) | {"prompt_tokens": "many", "input_tokens": "many"}
    return content


def _finish(reply: Reply) -> str:
    return reply.finish or ("tool_calls" if reply.tool_calls else "stop")


def _used(api: str, body: dict[str, Any], reply: Reply) -> tuple[int, int]:
    request = Request(str(body.get("model")), tuple(messages_of(api, body)), tuple(tools_of(api, body)))
    calls = count_tokens(canonical(reply.tool_calls)) if reply.tool_calls else 0
    return prompt_tokens(request), count_tokens(reply.text) + calls


def _chat(body: dict[str, Any], reply: Reply, refusal: str | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": refusal}
    if refusal is not None or (reply.tool_calls and not reply.text):
        message["content"] = None
    if reply.tool_calls and refusal is None:
        message["tool_calls"] = [_chat_call(call) for call in reply.tool_calls]
    prompt, completion = _used("chat", body, reply)
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(reply), "logprobs": None}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    }


def _chat_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}


def _responses(body: dict[str, Any], reply: Reply, refusal: str | None) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": []}
    if refusal is not None:
        part = {"type": "refusal", "refusal": refusal}
    output: list[dict[str, Any]] = [
        {"type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": [part]}
    ]
    if refusal is None:
        output += [{"type": "function_call", "id": f"fc_{n}", "call_id": call["id"], "name": call["name"],
                    "arguments": call["arguments"]} for n, call in enumerate(reply.tool_calls)]  # fmt: skip
    prompt, completion = _used("responses", body, reply)
    cut_off = _finish(reply) == "length"
    return {
        "id": "resp-fake",
        "object": "response",
        "created_at": 0,
        "model": body.get("model"),
        "status": "incomplete" if cut_off else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut_off else None,
        "output": output,
        "usage": {"input_tokens": prompt, "output_tokens": completion, "total_tokens": prompt + completion},
    }
