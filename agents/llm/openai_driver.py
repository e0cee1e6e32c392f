"""OpenAI's protocol, which most servers of models speak: chat completions by default, responses on request.

The `openai` package sends; what comes back is read here, since the package lets truncated JSON through as a bare
`JSONDecodeError`, a page of HTML as a text, and an answer without choices as an answer. It retries nothing: what it
retried no budget would see.
"""

from __future__ import annotations

import email.utils
import hashlib
import json
import math
import os
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ludarium.agents.llm.client import Completion, Request, ToolCall, Usage
from ludarium.agents.llm.redact import Redactor
from ludarium.envs.core.errors import ConfigError, EndpointError, LLMError, MissingExtraError, MissingKeyError

__all__ = ["OpenAIDriver"]

APIS = ("chat", "responses")
KEY = "OPENAI_API_KEY"
MOST_BYTES = 8 << 20
"""The largest answer that is read."""
_RETRIED = (408, 409, 429)
_SHOWN = 300


class OpenAIDriver:
    """A model behind `base_url` (None: OPENAI_BASE_URL, or OpenAI's own).

    The key comes from the environment variable `key`, by default OPENAI_API_KEY. That default is not sent in the clear: an
    `http:` address gets it only if the variable is named. An address of one's own needs no key. Raises `MissingKeyError`
    and `MissingExtraError`.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api: str = "chat",
        key: str | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        if api not in APIS:
            raise ConfigError(f"api = {api!r}: expected chat or responses")
        base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        if base_url is not None and urlsplit(base_url).scheme not in ("http", "https"):
            raise ConfigError(
                f"base_url = {Redactor().text(base_url)!r}: expected http://HOST:PORT/v1 or https://HOST/v1"
            )
        try:
            import httpx2
            import openai
        except ImportError as error:
            raise MissingExtraError("openai", "llm") from error
        secret = _key(base_url, key)
        self.secrets: tuple[str, ...] = (secret,) if secret else ()
        self._redactor = Redactor(self.secrets)
        self._api, self._openai, self._response, self._nonce = api, openai, httpx2.Response, uuid.uuid4().hex
        http = openai.DefaultAsyncHttpxClient(
            timeout=httpx2.Timeout(None, connect=10.0),  # the gateway bounds the whole try, this each read
            transport=_bounded(httpx2, most_bytes, _proxy(base_url)),
            follow_redirects=False,  # a redirected question would go, key and all, where nobody sent it
        )
        self._client = openai.AsyncOpenAI(
            api_key=secret or "none",
            base_url=base_url,
            max_retries=0,
            http_client=http,
            default_headers={"Accept-Encoding": "identity"},
        )

    async def complete(self, request: Request) -> Completion:
        """Make one try."""
        openai = self._openai
        path, body = ("/chat/completions", _chat_body) if self._api == "chat" else ("/responses", _responses_body)
        try:
            # not through `chat.completions.create`: it walks through all messages by their types, 0.3 ms a message
            response = await self._client.post(
                path,
                body={**body(request), **request.extra},
                cast_to=self._response,
                options={"headers": {"Idempotency-Key": self._name(request)}},
            )
        except openai.APIStatusError as error:
            raise self._status(error.status_code, error.response.headers, error.response.text) from None
        except openai.APITimeoutError as error:
            raise EndpointError(self._said("no answer in time", error), kind="timeout", retryable=True) from None
        except openai.APIConnectionError as error:
            raise EndpointError(
                self._said("no connection, or it broke", error), kind="connection", retryable=True
            ) from None
        except _TooLarge as error:
            raise EndpointError(str(error), kind="large", status=200) from None
        except (openai.OpenAIError, ValueError, TypeError, RecursionError) as error:
            raise LLMError(self._said("the request cannot be sent", error)) from None
        if response.status_code != 200:
            raise self._status(response.status_code, response.headers, response.text)
        return (_read_chat if self._api == "chat" else _read_responses)(self._object(response))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _name(self, request: Request) -> str:
        """The name of a question, which all tries at it bear, and none of another process."""
        return hashlib.sha256(f"{self._nonce} {request.call} {request.key}".encode()).hexdigest()

    def _said(self, what: str, error: BaseException) -> str:
        cause = error.__cause__ if error.__cause__ is not None else error
        return self._redactor.text(f"{what}: {type(cause).__name__}: {cause}")[:_SHOWN]

    def _status(self, status: int, headers: Mapping[str, str], text: str) -> EndpointError:
        hint = "; is the key right? name its environment variable with key=VARIABLE" if status == 401 else ""
        return EndpointError(
            self._redactor.text(f"the endpoint answered {status}: {_message(text)}")[:_SHOWN] + hint,
            status=status,
            retryable=status in _RETRIED or status >= 500,
            retry_after=_retry_after(headers),
        )

    def _object(self, response: Any) -> dict[str, Any]:
        """The JSON object of an answer of status 200."""
        start = self._redactor.text(response.text[:80])
        try:
            body = json.loads(response.content)
        except (ValueError, RecursionError):
            raise EndpointError(f"the answer is no JSON: {start!r}", kind="json", status=200, retryable=True) from None
        if not isinstance(body, dict):
            raise EndpointError(f"the answer is no JSON object: {start!r}", kind="shape", status=200, retryable=True)
        return body


class _TooLarge(OSError):
    """An answer is longer than we read."""


def _bounded(httpx2: Any, most: int, proxy: str | None) -> Any:
    """A transport that stops reading an answer after so many bytes, and takes none that would unpack to more."""

    class Stream(httpx2.AsyncByteStream):
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            seen = 0
            async for part in self._inner:
                seen += len(part)
                if seen > most:
                    raise _TooLarge(f"the answer is longer than {most} bytes")
                yield part

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Transport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: Any) -> Any:
            response = await super().handle_async_request(request)
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                await response.aclose()
                raise _TooLarge("the answer is packed, which was not asked for, and may be of any length")
            response.stream = Stream(response.stream)
            return response

    return Transport(proxy=proxy, limits=httpx2.Limits(max_connections=None, max_keepalive_connections=256))


def _proxy(base_url: str | None) -> str | None:
    """The proxy that the environment names for an address: a transport of one's own gets none from the package."""
    address = urlsplit(base_url or "https://api.openai.com")
    host = address.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or urllib.request.proxy_bypass(host):
        return None
    named = urllib.request.getproxies()
    return named.get(address.scheme) or named.get("all")


def _key(base_url: str | None, named: str | None) -> str:
    """The key to send; empty: none."""
    found = os.environ.get(named or KEY, "").strip()
    if named is not None and not found:
        raise MissingKeyError(f"the environment variable {named} is not set; it should hold the endpoint's key")
    if base_url is None and not found:
        raise MissingKeyError(
            f"the environment variable {KEY} is not set; set it, name another with key=VARIABLE, or give the base_url of an "
            "endpoint that needs none"
        )
    in_the_clear = base_url is not None and urlsplit(base_url).scheme == "http"
    return "" if in_the_clear and named is None else found


def _chat_body(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {"model": request.model, "messages": list(request.messages)}
    if request.tools:
        body["tools"] = list(request.tools)
    if request.max_tokens is not None:
        body["max_completion_tokens"] = request.max_tokens
    if request.stop:
        body["stop"] = list(request.stop)
    if request.session:
        body["user"] = request.session
    return body | {name: value for name in ("temperature", "seed") if (value := getattr(request, name)) is not None}


def _responses_body(request: Request) -> dict[str, Any]:
    if request.stop or request.seed is not None:
        raise LLMError("the responses API has neither `stop` nor `seed`; leave them out, or use api=chat")
    body: dict[str, Any] = {"model": request.model, "input": _items(request.messages), "store": False}
    if request.tools:
        body["tools"] = [{"type": "function", "strict": False, **tool["function"]} for tool in request.tools]
    if request.max_tokens is not None:
        body["max_output_tokens"] = request.max_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.session:
        body["user"] = request.session
    return body


def _items(messages: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """Chat messages as input items of the responses API."""
    found: list[dict[str, Any]] = []
    for message in messages:
        if message["role"] == "tool":
            output = {"call_id": message["tool_call_id"], "output": message["content"]}
            found.append({"type": "function_call_output", **output})
            continue
        if message.get("content"):
            found.append({"role": message["role"], "content": message["content"]})
        for call in message.get("tool_calls", ()):
            found.append({"type": "function_call", "call_id": call["id"], **call["function"]})
    return found


def _read_chat(body: dict[str, Any]) -> Completion:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise _no_choices(body)
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise EndpointError("the answer's choice has no message", kind="shape", status=200, retryable=True)
    refusal, given = message.get("refusal"), message.get("tool_calls")
    named = [call for call in given if isinstance(call, dict)] if isinstance(given, list) else []
    calls = [_call(call.get("id"), call.get("function")) for call in named]
    finish = choice.get("finish_reason")
    return Completion(
        text=_text(message.get("content")) or _text(refusal),
        tool_calls=tuple(call for call in calls if call is not None),
        finish="refusal" if refusal else finish if isinstance(finish, str) else "stop",
        usage=_usage(body.get("usage"), "prompt_tokens", "completion_tokens"),
        model=_text(body.get("model")),
    )


def _read_responses(body: dict[str, Any]) -> Completion:
    output = body.get("output")
    items = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    if body.get("status") == "failed" or not any(
        item.get("type") in ("message", "function_call", "reasoning") for item in items
    ):
        raise _no_choices(body)
    contents = [item.get("content") for item in items if item.get("type") == "message"]
    parts = [p for content in contents if isinstance(content, list) for p in content if isinstance(p, dict)]
    refusal = "".join(_text(p.get("refusal")) for p in parts)
    calls = [_call(item.get("call_id"), item) for item in items if item.get("type") == "function_call"]
    details = body.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    finish = {"max_output_tokens": "length"}.get(str(reason), reason if isinstance(reason, str) else "")
    return Completion(
        text=_text(parts) or refusal,
        tool_calls=tuple(call for call in calls if call is not None),
        finish="refusal" if refusal else finish or ("tool_calls" if calls else "stop"),
        usage=_usage(body.get("usage"), "input_tokens", "output_tokens"),
        model=_text(body.get("model")),
    )


def _no_choices(body: dict[str, Any]) -> EndpointError:
    said = f": {_message(json.dumps(body))}" if "error" in body else ""
    return EndpointError(f"the answer has no choices{said}", kind="choices", status=200, retryable=True)


def _text(content: Any) -> str:
    """A content as text: a string, or a list of parts of which those count that are text."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _call(name: Any, function: Any) -> ToolCall | None:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return None
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments if arguments is not None else {})
    return ToolCall(id=_text(name) or "call", name=function["name"], arguments=text)


def _usage(given: Any, prompt: str, completion: str) -> Usage | None:
    """Tokens as the endpoint counts them, None where what it says cannot be."""
    found = [given.get(name) for name in (prompt, completion)] if isinstance(given, dict) else []
    counts = [n for n in found if isinstance(n, int) and not isinstance(n, bool) and n >= 0]
    return Usage(counts[0], counts[1]) if len(counts) == 2 else None


def _message(text: str) -> str:
    """The sentence in an error's body."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    return said if isinstance(said, str) else " ".join(text.split())


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by `retry-after-ms` or `retry-after`, which is a number or a date (RFC 9110, 10.2.3)."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            seconds = float(text) / unit
        except ValueError:
            try:
                seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
            except (ValueError, OverflowError):
                continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    return None
