"""The trace: everything needed to play an episode again, and to find out where a replay differs.

A file is one JSON header line, then frames: a four-byte tag, a 32-bit length, and that many bytes of zstd. `ACTS` holds
the actions of a numeric role (digits packed into bytes, seat by seat), or `ACTE` does where fewer bytes hold them by
entropy coding (`entropy.py`; since format 2), `TEXT` JSON lines (actions of other roles, and
events: defaults, faults of agents, raw replies), `DIGS` the digests along the way, `DONE` the result, and `SEAL` a
BLAKE2b digest of all that went before. A file without its seal was cut.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from ludarium.envs.core.errors import TraceError
from ludarium.envs.core.files import write_whole

__all__ = ["FORMAT", "MAX_HEADER", "Trace", "decode", "encode"]

FORMAT = 2
READABLE = (1, 2)
MAX_HEADER = 1 << 20
MAX_BODY = 1 << 30
"""Bytes of all frames of a file, decompressed."""
_FRAME = struct.Struct("<4sI")
_PACKED = struct.Struct("<BBHIII")  # role, digits a byte (0: raw), base, steps, seats, extra dimensions
_LEVEL = 19


@dataclasses.dataclass
class Trace:
    """An episode as data.

    `header` names the world: `id`, `config` (options that differ from the defaults), `seed`, `instance` (None, or its
    name and data), `instance_hash`, `roles` (name, seats and numeric type of the actions), `kernels` and `ludarium`
    (versions).
    `actions` holds one item a role: an integer or float array `[steps, seats, ...]`, or a list of lists of JSON values.
    """

    header: dict[str, Any]
    actions: list[Any]
    digests: list[tuple[int, int]]
    events: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    result: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def id(self) -> str:
        """The environment's id."""
        return str(self.header["id"])

    @property
    def steps(self) -> int:
        """How many steps were played."""
        return len(self.actions[0])

    @property
    def digest(self) -> str:
        """The digest at the end, 16 hex digits."""
        return f"{self.digests[-1][1]:016x}" if self.digests else ""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file whole or not at all."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_whole(target, encode(self))
        except OSError as error:
            raise TraceError(f"{target}: cannot write the trace: {error.strerror or error}") from error
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a file; `TraceError` says what is wrong with a damaged one."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise TraceError(f"{path}: cannot read the trace: {error.strerror or error}") from error
        return decode(data, str(path))

    def replay(self, **options: Any) -> Any:
        """Play it again; see `ludarium.envs.core.replay.replay`."""
        from ludarium.envs.core.replay import replay

        return replay(self, **options)

    def movie(self) -> Any:
        """The pictures of the whole episode, by playing it again."""
        from ludarium.envs.core.replay import movie

        return movie(self)

    def show(self, height: int = 640) -> Any:
        """The replay page in a notebook."""
        from ludarium.envs.core.render import notebook_html
        from ludarium.envs.core.replay import Html

        return Html(notebook_html(self.movie(), height=height))


def _digits(base: int) -> int:
    """How many digits of a base fit a byte (0: none, the values go raw)."""
    return 0 if base < 2 or base > 16 else int(np.floor(np.log(256) / np.log(base) + 1e-9))


def _head(array: NDArray[Any], role: int, per: int, base: int) -> bytes:
    """What an action frame begins with."""
    head = _PACKED.pack(role, per, base, array.shape[0], array.shape[1], array.ndim - 2)
    return head + struct.pack(f"<{array.ndim - 2}I", *array.shape[2:]) + array.dtype.str.encode().ljust(4)


def _pack(array: NDArray[Any], role: int, base: int) -> bytes:
    """Seat by seat, since a robot's next action resembles its last; small ranges share a byte."""
    flat = np.moveaxis(array, 0, -1)
    per = _digits(base) if array.dtype.kind == "u" else 0
    head = _head(array, role, per, base if per else 0)
    if not per:
        return head + np.ascontiguousarray(flat).tobytes()
    digits = np.ascontiguousarray(flat).reshape(-1).astype(np.uint8)
    padded = np.concatenate([digits, np.zeros(-len(digits) % per, np.uint8)]).reshape(-1, per)
    weights = base ** np.arange(per)
    return head + (padded @ weights).astype(np.uint8).tobytes()


def _code(array: NDArray[Any], role: int, base: int) -> bytes | None:
    """The same by entropy coding; None where it is not for these numbers."""
    from ludarium.envs.core.entropy import compress

    if array.dtype != np.uint8 or array.ndim != 2:
        return None
    found = compress(np.ascontiguousarray(array.T), base)
    return None if found is None else _head(array, role, 0, base) + found


def _unpack(data: bytes, coded: bool, limit: int, where: str) -> tuple[int, NDArray[Any]]:
    role, per, base, steps, seats, extra = _PACKED.unpack_from(data)
    at = _PACKED.size
    if extra > 4:
        raise TraceError(f"{where}: actions of {extra + 2} dimensions; expected at most 6")
    shape = (seats, *struct.unpack_from(f"<{extra}I", data, at), steps)
    at += 4 * extra
    dtype = np.dtype(data[at : at + 4].decode().strip())
    if dtype.kind not in "uif":
        raise TraceError(f"{where}: actions of type {dtype}; expected integers or floats")
    count = math.prod(shape)
    if count * dtype.itemsize > limit:
        raise TraceError(f"{where}: {count} actions; expected at most {limit // dtype.itemsize}")
    if coded:
        return role, _decoded(data[at + 4 :], base, shape, dtype, where)
    body = np.frombuffer(data, np.uint8, offset=at + 4)
    if not per:
        values = body.view(dtype)
    elif per != _digits(base) or dtype.kind != "u":
        raise TraceError(f"{where}: {per} actions of base {base} and type {dtype} in a byte")
    else:
        digits = np.empty((len(body), per), np.uint8)
        rest = body.astype(np.uint16)
        for i in range(per):
            digits[:, i] = rest % base
            rest = rest // base
        values = digits.reshape(-1)[:count].astype(dtype)
    if len(values) != count:
        raise TraceError(f"{where}: {len(values)} actions; expected {count}")
    return role, np.ascontiguousarray(np.moveaxis(values.reshape(shape), -1, 0))


def _decoded(data: bytes, base: int, shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> NDArray[Any]:
    """The actions `[steps, seats]` of an entropy-coded frame."""
    from ludarium.envs.core.entropy import decompress

    if dtype != np.uint8 or len(shape) != 2:
        raise TraceError(f"{where}: coded actions of type {dtype} and {len(shape)} dimensions; expected bytes and 2")
    rows = np.zeros(shape, np.uint8)
    if not decompress(data, base, rows):
        raise TraceError(f"{where}: the coded actions are damaged")
    return np.ascontiguousarray(rows.T)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TraceError(f"a trace holds JSON values; got {type(value).__name__}: {value!r}")


def encode(trace: Trace, coded: bool = True) -> bytes:
    """The bytes of a trace file; equal traces give equal bytes. Without `coded` no kernel is compiled, and files are larger."""
    press = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
    out = bytearray(_json({"format": FORMAT, **trace.header}) + b"\n")

    def frame(tag: bytes, body: bytes) -> None:
        packed = press.compress(body)
        out.extend(_FRAME.pack(tag, len(packed)) + packed)

    lines = []
    for number, (role, actions) in enumerate(zip(trace.header["roles"], trace.actions, strict=True)):
        if isinstance(actions, np.ndarray):
            base = int(role.get("base", 0))
            plain = press.compress(_pack(actions, number, base))
            short = _code(actions, number, base) if coded else None
            if short is not None and len(short) < len(plain):
                frame(b"ACTE", short)
            else:
                out.extend(_FRAME.pack(b"ACTS", len(plain)) + plain)
        else:
            lines.append({"role": number, "actions": actions})
    frame(b"TEXT", b"\n".join(_json(line) for line in [*lines, *({"event": e} for e in trace.events)]))
    frame(b"DIGS", b"".join(struct.pack("<IQ", step, digest) for step, digest in trace.digests))
    frame(b"DONE", _json(trace.result))
    seal = hashlib.blake2b(bytes(out), digest_size=16).digest()
    return bytes(out) + _FRAME.pack(b"SEAL", len(seal)) + seal


def _header(data: bytes, name: str) -> tuple[dict[str, Any], int]:
    end = data.find(b"\n", 0, MAX_HEADER)
    if end < 0:
        raise TraceError(f"{name}: no header line; this is not a trace, or it was cut")
    try:
        header = json.loads(data[:end])
        version = header.pop("format")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TraceError(f"{name}: the header line is not a trace header; this is not a trace") from error
    if version not in READABLE or isinstance(version, bool):
        raise TraceError(f"{name}: trace format {version!r}; this version of ludarium reads formats up to {FORMAT}")
    missing = [key for key in ("id", "config", "seed", "roles") if key not in header]
    if missing:
        raise TraceError(f"{name}: the header lacks {', '.join(missing)}")
    roles, seed = header["roles"], header["seed"]
    if not isinstance(roles, list) or not all(isinstance(r, dict) and {"name", "count"} <= set(r) for r in roles):
        raise TraceError(f"{name}: the header lacks a list of roles with name and count")
    if not isinstance(header["config"], dict) or type(seed) is not int or not roles:
        raise TraceError(f"{name}: a header has a config (an object), a seed (an integer) and at least one role")
    return header, end + 1


def _frames(data: bytes, at: int, name: str, limit: int) -> dict[bytes, list[bytes]]:
    """Split and decompress the frames; the seal must be there and hold."""
    packed: list[tuple[int, bytes, bytes]] = []
    while at < len(data):
        if at + _FRAME.size > len(data):
            break
        tag, size = _FRAME.unpack_from(data, at)
        body = data[at + _FRAME.size : at + _FRAME.size + size]
        if len(body) < size:
            break
        if tag == b"SEAL":
            if hashlib.blake2b(data[:at], digest_size=16).digest() != body:
                raise TraceError(f"{name}: the seal does not hold; the file was changed after it was written")
            if at + _FRAME.size + size != len(data):
                raise TraceError(f"{name}: bytes after the seal; the file was changed after it was written")
            return _decompressed(packed, name, limit)
        packed.append((at, tag, body))
        at += _FRAME.size + size
    raise TraceError(
        f"{name}: cut at byte {len(data)}: the seal is missing; copy the file again or play the episode again"
    )


def _decompressed(packed: list[tuple[int, bytes, bytes]], name: str, limit: int) -> dict[bytes, list[bytes]]:
    """The bodies of frames whose seal holds, by tag."""
    unpress = zstandard.ZstdDecompressor()
    found: dict[bytes, list[bytes]] = {}
    left = limit
    for at, tag, body in packed:
        try:
            size = zstandard.get_frame_parameters(body).content_size
            if not 0 <= size <= left:
                raise TraceError(f"{name}: frames of more than {limit} bytes, or of unknown size")
            left -= size
            found.setdefault(tag, []).append(unpress.decompress(body))
        except zstandard.ZstdError as error:
            raise TraceError(f"{name}: damaged at byte {at}: {error}") from error
    return found


def decode(data: bytes, name: str = "trace", limit: int = MAX_BODY) -> Trace:
    """Read a trace from bytes; the inverse of `encode`. `limit` bounds what it may become, in bytes."""
    header, at = _header(data, name)
    found = _frames(data, at, name, limit)
    try:
        actions: list[Any] = [None] * len(header["roles"])
        for tag in (b"ACTS", b"ACTE"):
            for body in found.get(tag, []):
                role, array = _unpack(body, tag == b"ACTE", limit, name)
                actions[role] = array
        events = []
        for line in b"".join(found.get(b"TEXT", [])).split(b"\n"):
            record = json.loads(line) if line else {}
            if "event" in record:
                events.append(record["event"])
            elif record:
                actions[record["role"]] = record["actions"]
        digests = [(int(s), int(d)) for s, d in struct.iter_unpack("<IQ", b"".join(found.get(b"DIGS", [])))]
        result = json.loads(b"".join(found.get(b"DONE", [])) or b"{}")
    except (ValueError, KeyError, IndexError, TypeError, struct.error, RecursionError, MemoryError) as error:
        if isinstance(error, TraceError):
            raise
        raise TraceError(f"{name}: damaged: {error}") from error
    if not isinstance(result, dict) or not isinstance(result.get("metrics", {}), dict):
        raise TraceError(f"{name}: damaged: the result is no object with metrics")
    if any(role is None for role in actions) or len({len(role) for role in actions}) > 1:
        raise TraceError(f"{name}: damaged: the roles' actions are missing or of different lengths")
    return Trace(header, actions, digests, events, result)
