"""The probe: drives an environment and tells what it saw, in plain values. Runs in any Python 3.8 or newer.

It is one file and needs the standard library alone, since it is also run by interpreters that have nothing of ours: as
`python probe.py PROGRESS` it reads a program (a JSON list of operations) a line and answers each with a line. Laws hold
results against each other on the other side of the pipe; what can only be seen here (types, spaces, aliases) is noted
here, as complaints `[law, step, sentence]`.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib
import io
import itertools
import json
import math
import mmap
import os
import pickle
import random
import struct
import sys
import threading
import traceback
from typing import Any, Callable

FIELDS = ("observation", "reward", "flags", "info", "mask", "seats")
"""What is seen in each step, in the order of a record."""
MAKE, RESET, STEP, LOOK, COPY = 1, 2, 3, 4, 5
PHASES = ("rest", "make", "reset", "step", "look", "copy")

# --- numbers: the counter-based draws of envs/core/rng.py, in plain integers ---------------------------------------------
_MASK = (1 << 64) - 1
_GOLDEN, _M1, _M2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def _mix64(x: int) -> int:
    x &= _MASK
    x = ((x ^ (x >> 30)) * _M1) & _MASK
    x = ((x ^ (x >> 27)) * _M2) & _MASK
    return x ^ (x >> 31)


class Chance:
    """Draws for one seat in one step, one after another: `rng.draw` of stream 7, numbered from 1."""

    def __init__(self, key: int, step: int, seat: int) -> None:
        x = _mix64(_mix64(key ^ _M2) + 8 * _GOLDEN)
        x = _mix64(x + _GOLDEN * (step + 1))
        self._at, self._count = _mix64(x ^ ((_GOLDEN * (seat + 1)) & _MASK)), 0

    def below(self, n: int) -> int:
        """A uniform integer of 0..n-1."""
        self._count += 1
        x = (self._at + _M1 * (self._count + 1)) & _MASK  # what follows is `_mix64`, where most of the time goes
        x = ((x ^ (x >> 30)) * _M1) & _MASK
        x = ((x ^ (x >> 27)) * _M2) & _MASK
        return (((x ^ (x >> 31)) >> 32) * n) >> 32


# --- values ----------------------------------------------------------------------------------------------------------
def _is_array(value: Any) -> bool:
    return hasattr(value, "tobytes") and hasattr(value, "dtype") and hasattr(value, "shape")


_HEADS: dict[Any, bytes] = {}
_SORTS: dict[type, int] = {}
_ARRAY, _DICT, _SEQUENCE, _SCALAR, _OTHER = range(5)


_TOLD: dict[type, Callable[[Any], bytes]] = {
    bool: lambda value: b"bool=True;" if value else b"bool=False;",
    int: lambda value: b"int=%d;" % value,
}
"""Those that come by the thousand, written faster."""


def _name_of(item: tuple[Any, Any]) -> str:
    return str(item[0])


def _sort(value: Any) -> int:
    """What a value is to a digest, found once a type."""
    if _is_array(value):
        sort = _ARRAY
    elif isinstance(value, dict):
        sort = _DICT
    elif isinstance(value, (list, tuple)):
        sort = _SEQUENCE
    elif value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        sort = _SCALAR
    else:
        return _OTHER  # an instance may be another thing than its type says
    return _SORTS.setdefault(type(value), sort)


def _feed(out: list[bytes], value: Any) -> None:
    """Write a value, types included, as pieces of bytes."""
    kind = type(value)
    sort = _SORTS.get(kind)
    if sort is None:
        sort = _sort(value)
    if sort == _ARRAY:
        key = (value.dtype, value.shape)
        head = _HEADS.get(key)
        if head is None:
            head = _HEADS[key] = f"{value.dtype.str}{value.shape}".encode()
        out.append(head)
        if value.dtype.hasobject:
            for item in value.reshape(-1).tolist():
                _feed(out, item)
        else:
            out.append(value.tobytes())
    elif sort == _DICT:
        out.append(b"{%d" % len(value))
        for key, part in sorted(value.items(), key=_name_of) if len(value) > 1 else value.items():
            out.append(str(key).encode("utf-8", "surrogatepass"))
            _feed(out, part)
    elif sort == _SEQUENCE:
        out.append(b"(%d" % len(value))
        for item in value:
            _feed(out, item)
    elif sort == _SCALAR:
        told = _TOLD.get(kind)
        out.append(told(value) if told else f"{kind.__name__}={value!r};".encode("utf-8", "surrogatepass"))
    else:
        out.append(kind.__name__.encode())
        inside = getattr(value, "__dict__", None)
        if isinstance(inside, dict):
            _feed(out, {k: v for k, v in inside.items() if not callable(v)})


def digest(value: Any) -> str:
    """Twelve hex digits that are equal exactly when two values are, types included."""
    out: list[bytes] = []
    try:
        _feed(out, value)
    except RecursionError:
        out.append(b"deep")
    return hashlib.blake2b(b"|".join(out), digest_size=6).hexdigest()


def _plain(value: Any) -> Any:
    """A value as JSON would have it, for comparisons in which types may differ."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in sorted(value.items(), key=lambda kv: str(kv[0]))}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return repr(float(value))


def loose(value: Any) -> str:
    """As `digest`, but numbers are equal whatever their types."""
    out: list[bytes] = []
    _feed_loosely(out, value)
    return hashlib.blake2b(b"|".join(out), digest_size=6).hexdigest()


def _feed_loosely(out: list[bytes], value: Any) -> None:
    if _is_array(value) and value.dtype.kind in "biuf":
        out += (b"%r" % (value.shape,), value.astype("d").tobytes())
    elif isinstance(value, (bool, int, float)):
        out += (b"()", struct.pack("=d", value))
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            out.append(str(key).encode("utf-8", "surrogatepass"))
            _feed_loosely(out, value[key])
    elif isinstance(value, (list, tuple)) or (_is_array(value) and value.dtype.hasobject):
        out.append(b"[")
        for item in value:
            _feed_loosely(out, item)
    else:
        _feed(out, value.tolist() if _is_array(value) else value)


def short(value: Any, limit: int = 110) -> str:
    """A value in few characters."""
    if _is_array(value):
        text = f"{value.dtype}{list(value.shape)} {' '.join(str(value.tolist()).split())}"
    else:
        text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _arrays(value: Any) -> list[Any]:
    if _is_array(value):
        return [value] if getattr(value, "ndim", 0) else []
    if isinstance(value, dict):
        value = list(value.values())
    return [a for item in value for a in _arrays(item)] if isinstance(value, (list, tuple)) else []


def _scribble(value: Any) -> None:
    """Overwrite what a careless user could overwrite."""
    for array in _arrays(value):
        try:
            array[...] = 1 if array.dtype.kind == "b" else 77
        except (ValueError, TypeError):  # read-only, or not of numbers
            continue


# --- spaces ----------------------------------------------------------------------------------------------------------
_SPACES = ("Discrete", "MultiDiscrete", "MultiBinary", "Box", "Tuple", "Dict", "Text", "AnyText")
_KINDS: dict[type, str] = {}


def kind_of(space: Any) -> str:
    """The kind of a space by its name, or `other`; found once a type."""
    kind = _KINDS.get(type(space))
    if kind is None:
        kind = next((base.__name__ for base in type(space).__mro__ if base.__name__ in _SPACES), "other")
        kind = _KINDS[type(space)] = "Text" if kind == "AnyText" else kind
    return kind


def _parts(space: Any) -> list[tuple[Any, Any]]:
    inner = space.spaces
    return list(inner.items()) if isinstance(inner, dict) else list(enumerate(inner))


def wrong_in(space: Any, value: Any) -> str:
    """Why a value is not an element of its space, exact types included; empty if it is."""
    kind = kind_of(space)
    if kind in ("Dict", "Tuple"):
        for name, part in _parts(space):
            try:
                item = value[name]
            except (KeyError, IndexError, TypeError):
                return f"{short(value)} has no part {name!r}"
            inside = wrong_in(part, item)
            if inside:
                return f"[{name!r}] {inside}"
    elif kind in ("Box", "MultiDiscrete", "MultiBinary"):
        if not _is_array(value):
            return f"{short(value)} is {type(value).__name__}; expected an array of {space.dtype}"
        if value.dtype != space.dtype:
            return f"dtype {value.dtype}; the space has {space.dtype}"
        if tuple(value.shape) != tuple(space.shape):
            return f"shape {tuple(value.shape)}; the space has {tuple(space.shape)}"
    try:
        if not space.contains(value):
            return f"{short(value)} is not in {short(space, 60)}"
    except Exception as error:
        return f"{short(value)}: {type(error).__name__} from {short(space, 60)}.contains: {error}"
    return ""


def space_print(space: Any) -> str:
    """A fingerprint of a space's extent."""
    kind = kind_of(space)
    if kind in ("Dict", "Tuple"):
        return f"{kind}({','.join(f'{n}:{space_print(p)}' for n, p in _parts(space))})"
    names = ("n", "start", "nvec", "low", "high", "shape", "dtype", "max_length")
    return f"{kind}({','.join(digest(getattr(space, name, None)) for name in names)})"


class Chooser:
    """Chooses actions under a mask by a policy made of small integers."""

    def __init__(self, policy: dict[str, Any]) -> None:
        self.key, self.mix, self.wild = int(policy["key"]), int(policy["mix"]), int(policy.get("wild", 0))
        self._last: dict[Any, Any] = {}

    def choose(self, space: Any, mask: Any, step: int, seat: int, hints: Callable[[], list[str]]) -> tuple[Any, bool]:
        """An action in plain values, and whether the mask allows it."""
        self._chance, self._legal, self._at, self._hints = Chance(self.key, step, seat), True, (seat,), hints
        action = self._of(space, _like(mask), (seat,))
        return action, self._legal

    def _of(self, space: Any, mask: Any, place: tuple[Any, ...]) -> Any:
        kind = kind_of(space)
        if kind == "Discrete":
            start = int(getattr(space, "start", 0))
            return start + self._index(int(space.n), mask, place)
        if kind == "MultiDiscrete":
            counts = space.nvec.reshape(-1).tolist()
            starts = getattr(space, "start", None)
            starts = [0] * len(counts) if starts is None else starts.reshape(-1).tolist()
            masks = _split(mask, counts)
            flat = [starts[i] + self._index(n, masks[i], (*place, i)) for i, n in enumerate(counts)]
            return _shaped(flat, space.shape)
        if kind == "MultiBinary":
            flat = [self._chance.below(2) for _ in range(_size(space.shape))]
            return _shaped(flat, space.shape)
        if kind == "Box":
            return _shaped(self._floats(space), space.shape)
        if kind in ("Dict", "Tuple"):
            chosen = [(n, self._of(p, _part(mask, n), (*place, n))) for n, p in _parts(space)]
            return dict(chosen) if kind == "Dict" else [value for _, value in chosen]
        if kind == "Text":
            return self._text(space)
        return {"sample": self._chance.below(1 << 20)}

    def _index(self, n: int, mask: Any, place: tuple[Any, ...]) -> int:
        legal = _allowed(n, mask)
        if self.wild and len(legal) < n and self._chance.below(16) < self.wild:
            self._legal = False
            out = [i for i in range(n) if not mask[i]]
            return out[self._chance.below(len(out))]
        if not legal:
            return self._chance.below(n)
        pick, last = legal[self._chance.below(len(legal))], self._last.get(place)
        if self.mix == 1 and last in legal and self._chance.below(4):
            pick = last
        elif self.mix == 2:
            liked = _mix64(self.key + 31 * hash_of(place)) % n
            pick = liked if liked in legal and self._chance.below(2) else pick
        elif self.mix == 3:
            pick = legal[-1] if self._chance.below(2) else legal[0]
        self._last[place] = pick
        return pick

    def _floats(self, space: Any) -> list[Any]:
        lows, highs = space.low.reshape(-1).tolist(), space.high.reshape(-1).tolist()
        whole, values = space.dtype.kind in "iu", []
        scale = (1.0, 0.05, 100.0)[self._chance.below(3)]
        for low, high in zip(lows, highs):
            share = self._chance.below(1 << 20) / (1 << 20)
            if self.mix == 3:
                share = float(self._chance.below(2))
            if not math.isfinite(low) or not math.isfinite(high):
                value = max(low, min(high, (2 * share - 1) * scale))
            elif self.mix == 1:
                value = low + (high - low) * (0.5 + 0.02 * (share - 0.5))
            else:
                value = low + (high - low) * share
            values.append(round(value) if whole else value)
        return values

    def _text(self, space: Any) -> str:
        chance, known = self._chance, self._hints() or ["1", "look", "go 2"]
        text = known[chance.below(len(known))]
        kind = chance.below(10)
        if kind >= 8:
            text = HOSTILE[chance.below(len(HOSTILE))]
        elif kind >= 6:
            text = _near(text, chance)
        elif kind >= 4:
            text = str(chance.below(2000) - 5)
        limit = getattr(space, "max_length", None)
        text = text if limit is None else text[: int(limit)]
        for other in (text, "".join(c for c in text if c.isalnum()), str(chance.below(10)), "a"):
            if space.contains(other):
                return other
        return _sampled(space, chance.below(1 << 20))


HOSTILE = (
    "", " ", "\n", "\t\t", "0", "-0", "-1", "1e309", "NaN", "None", "null", "{}", "[]", '{"name": "act"}', "%s%n", "{0}",
    "{self.__class__}", "\x00", "\x1b[2J", "\U0001f642" * 3, "e\u0301", "\u202eabc", "'; DROP TABLE x; --", "../../etc",
    "<script>", "a" * 3000, "9" * 400, "\ud800", "1 2", "١٢", "²", "1_000", "0x10", "look\r\nlook",
)  # fmt: skip
"""Strings that break careless parsers."""


def _near(text: str, chance: Chance) -> str:
    """Almost a text."""
    at = chance.below(len(text) + 1)
    near = (text.upper(), f" {text} ", text[:at] + text[at + 1 :], text[:at] + "x" + text[at:], f"{text}.", text * 2)
    return near[chance.below(len(near))]


@functools.lru_cache(maxsize=1 << 14)
def hash_of(place: tuple[Any, ...]) -> int:
    """A number for a place in a nested action, the same in every process."""
    return int(digest([str(p) for p in place]), 16)


def _size(shape: Any) -> int:
    count = 1
    for n in shape or ():
        count *= int(n)
    return count


def _shaped(flat: list[Any], shape: Any) -> Any:
    """A flat list as nested lists."""
    if not shape:
        return flat[0]
    for n in reversed(tuple(shape)[1:]):
        n = int(n)
        flat = [flat[i : i + n] for i in range(0, len(flat), n)] if n else []
    return flat


def _split(mask: Any, counts: list[int]) -> list[Any]:
    """A mask of several choices, by choice: nested, or one row after another, for each seat or for all of them."""
    if mask is None:
        return [None] * len(counts)
    if mask and not isinstance(mask[0], (list, tuple, bytes)):
        rows, at = [], 0
        for n in counts:
            rows.append(mask[at : at + n])
            at += n
        return rows
    flat: list[Any] = []
    for row in mask:
        flat.extend(row if row and isinstance(row[0], (list, tuple)) else [row])
    joined = [value for row in flat for value in row] if len(flat) != len(counts) else []
    return _split(joined, counts) if joined and len(joined) == sum(counts) else flat


def _part(mask: Any, name: Any) -> Any:
    try:
        return None if mask is None else mask[name]
    except (KeyError, IndexError, TypeError):
        return None


def _like(mask: Any) -> Any:
    """A mask as plain lists, or bytes where they say as much; arrays would be slow to ask item by item."""
    if isinstance(mask, dict):
        return {name: _like(part) for name, part in mask.items()}
    if isinstance(mask, tuple):
        return [_like(part) for part in mask]
    if _is_array(mask) and mask.dtype.char in "?bB" and len(mask.shape) in (1, 2) and mask.size:
        data, width = mask.tobytes(), mask.shape[-1]
        return data if len(mask.shape) == 1 else [data[i : i + width] for i in range(0, len(data), width)]
    return mask.tolist() if hasattr(mask, "tolist") else mask


def _allowed(n: int, mask: Any) -> Any:
    """The numbers below `n` that a row of a mask allows, in their order."""
    if mask is None:
        return range(n)
    if type(mask) is bytes:
        forbidden = mask.count(0, 0, n)
        if not forbidden or forbidden == n:
            return () if forbidden else range(n)
    return list(itertools.compress(range(n), mask))


def mask_fits(space: Any, mask: Any) -> bool:
    """Whether a mask has the form of its space."""
    try:
        kind, mask = kind_of(space), _like(mask)
        if kind == "Discrete":
            return len(mask) == int(space.n)
        if kind == "MultiDiscrete":
            counts = space.nvec.reshape(-1).tolist()
            rows = _split(mask, counts)
            return len(rows) == len(counts) and all(len(row) >= n for row, n in zip(rows, counts))
        if kind in ("Dict", "Tuple"):
            found = [(p, _part(mask, n)) for n, p in _parts(space)]
            return any(m is not None for _, m in found) and all(m is None or mask_fits(p, m) for p, m in found)
        return False
    except TypeError:
        return False


def choices(space: Any, mask: Any) -> list[list[Any]]:
    """The rows of a mask, one for each choice that it is about."""
    kind = kind_of(space)
    if kind == "Discrete":
        return [mask]
    if kind == "MultiDiscrete":
        return _split(mask, space.nvec.reshape(-1).tolist())
    return [row for n, p in _parts(space) if _part(mask, n) is not None for row in choices(p, _part(mask, n))]


def allowed(space: Any, mask: Any, action: Any) -> bool:
    """Whether a mask allows an action given in plain values."""
    kind = kind_of(space)
    try:
        if mask is None:
            return True
        if kind == "Discrete":
            return bool(mask[int(action) - int(getattr(space, "start", 0))])
        if kind == "MultiDiscrete":
            rows = _split(mask, space.nvec.reshape(-1).tolist())
            flat = _flat(action)
            starts = getattr(space, "start", None)
            starts = [0] * len(flat) if starts is None else starts.reshape(-1).tolist()
            return all(bool(row[int(a) - s]) for row, a, s in zip(rows, flat, starts))
        if kind in ("Dict", "Tuple"):
            return all(allowed(p, _part(mask, n), action[n]) for n, p in _parts(space))
    except (IndexError, TypeError, ValueError, KeyError):
        return False
    return True


def fits(space: Any, action: Any) -> bool:
    """Whether an action given in plain values has the form of its space."""
    try:
        return bool(space.contains(real(space, action)))
    except Exception:
        return False


def _flat(value: Any) -> list[Any]:
    return [v for item in value for v in _flat(item)] if isinstance(value, (list, tuple)) else [value]


def lowest(space: Any, mask: Any) -> Any:
    """The lowest legal action in plain values: what a shortened story does where nothing matters."""
    kind = kind_of(space)
    if kind == "Discrete":
        legal = [i for i in range(int(space.n)) if mask is None or mask[i]]
        return int(getattr(space, "start", 0)) + (legal[0] if legal else 0)
    if kind == "MultiDiscrete":
        counts = space.nvec.reshape(-1).tolist()
        starts = getattr(space, "start", None)
        starts = [0] * len(counts) if starts is None else starts.reshape(-1).tolist()
        rows = _split(mask, counts)
        flat = [s + next((i for i in range(n) if r is None or r[i]), 0) for s, n, r in zip(starts, counts, rows)]
        return _shaped(flat, space.shape)
    if kind == "MultiBinary":
        return _shaped([0] * _size(space.shape), space.shape)
    if kind == "Box":
        pairs = zip(space.low.reshape(-1).tolist(), space.high.reshape(-1).tolist())
        return _shaped(
            [max(low, min(high, 0 if space.dtype.kind in "iu" else 0.0)) for low, high in pairs], space.shape
        )
    if kind in ("Dict", "Tuple"):
        chosen = [(n, lowest(p, _part(mask, n))) for n, p in _parts(space)]
        return dict(chosen) if kind == "Dict" else [value for _, value in chosen]
    if kind == "Text":
        return next((text for text in ("0", "a", "") if space.contains(text)), _sampled(space, 0))
    return {"sample": 0}


def _sampled(space: Any, seed: int) -> Any:
    space.seed(seed)
    return space.sample()


def real(space: Any, plain: Any) -> Any:
    """An action in the form that a user would give it."""
    kind, numpy = kind_of(space), sys.modules.get("numpy")
    if isinstance(plain, dict) and set(plain) == {"sample"}:
        return _sampled(space, int(plain["sample"]))
    if kind == "Discrete" and numpy is not None:
        return numpy.dtype(getattr(space, "dtype", "int64")).type(plain)
    if kind in ("MultiDiscrete", "MultiBinary", "Box"):
        return sys.modules["numpy"].asarray(plain, space.dtype).reshape(space.shape)
    if kind == "Dict":
        return {n: real(p, plain[n]) for n, p in _parts(space)}
    if kind == "Tuple":
        return tuple(real(p, plain[n]) for n, p in _parts(space))
    return plain


MALFORMED = ("too high", "negative", "text", "none", "empty", "fraction", "too many", "huge")
"""Kinds of actions that are outside every space of numbers."""


def malformed(space: Any, which: int) -> Any:
    """An object that is no action of this space, as a user could give it by mistake; None if there is none of the kind."""
    name, numpy = MALFORMED[which % len(MALFORMED)], sys.modules.get("numpy")
    kind = kind_of(space)
    good = real(space, lowest(space, None))
    value: Any = {"text": "left", "none": None, "empty": [], "fraction": 0.5, "huge": 1 << 70}.get(name)
    if kind == "Discrete" and name in ("too high", "negative"):
        start = int(getattr(space, "start", 0))
        value = start + int(space.n) if name == "too high" else start - 1
    elif kind == "Text":
        value = 7 if name != "none" else None
    elif numpy is not None and _is_array(good) and name in ("too high", "negative") and good.size:
        value = good.astype("float64" if good.dtype.kind == "f" else "int64")
        if kind == "Box":
            edge = float((space.high if name == "too high" else space.low).reshape(-1)[0])
            if not math.isfinite(edge):
                return _NO_ACTION
            value[...] = edge + (1 if name == "too high" else -1)
        else:
            value[...] = 10**6 if name == "too high" else -1
    elif name == "too many" or (name in ("too high", "negative") and kind in ("Dict", "Tuple")):
        value = [good, good, good]
    try:
        return _NO_ACTION if space.contains(value) else value
    except Exception:  # a space that cannot even look at it does not hold it
        return value


_NO_ACTION: Any = object()


# --- environments of all kinds ---------------------------------------------------------------------------------------
def detect(env: Any) -> str:
    """`single`, `vector`, `parallel` or `aec`."""
    if hasattr(env, "num_envs") and hasattr(env, "single_action_space"):
        return "vector"
    if hasattr(env, "possible_agents"):
        return "aec" if hasattr(env, "agent_iter") or hasattr(env, "last") else "parallel"
    return "single"


class World:
    """An environment of any kind, as seats that see, are asked, and act."""

    kind = "single"
    inside: frozenset[str] = frozenset()

    def __init__(self, env: Any) -> None:
        self.env, self.base = env, getattr(env, "unwrapped", env)
        self.meta = dict(getattr(self.base, "metadata", None) or {})
        self.simulator: Any = getattr(self.base, "simulator", None)
        self.batch: Any = getattr(self.base, "batch", None)
        self.ours = self.simulator is not None and self.batch is not None
        self.t, self.over, self.seats = 0, True, [""]
        self.stuck = False
        self.obs: dict[str, Any] = {}
        self.rewards: dict[str, Any] = {}
        self.ended: dict[str, Any] = {}
        self.cut: dict[str, Any] = {}
        self.infos: dict[str, Any] = {}
        self.notes: list[list[Any]] = []
        self.checking = False
        self.keys: set[str] | None = None
        self._spaces: dict[str, Any] = {}

    # what is claimed
    def limit(self) -> int | None:
        """The number of steps after which an episode is cut."""
        config = getattr(self.base, "config", None) or getattr(self.simulator, "config", None)
        for holder, name in ((config, "max_steps"), (getattr(self.env, "spec", None), "max_episode_steps")):
            found = getattr(holder, name, None)
            if isinstance(found, int):
                return found
        found = self.meta.get("max_steps")
        return found if isinstance(found, int) else None

    def claims(self) -> dict[str, Any]:
        """What the environment offers beside its interface."""
        has = {name: callable(getattr(self.base, name, None)) for name in
               ("snapshot", "restore", "invariants", "metrics", "recount", "bounds", "relations", "trace", "digest")}  # fmt: skip
        entry = self.entry()
        kind = type(self.base)
        return {
            "kind": self.kind,
            "ours": self.ours,
            "class": f"{kind.__module__}:{kind.__qualname__}",
            "local": "<locals>" in kind.__qualname__ or kind.__module__ == "__main__",
            "snapshot": has["snapshot"] and has["restore"],
            "trace": has["trace"] and self.ours,
            **{
                n: has[n] or self._declares(n)
                for n in ("invariants", "metrics", "recount", "bounds", "relations", "digest")
            },
            "compiled": bool(getattr(self.base, "compiled", False) or hasattr(self.simulator, "State")),
            "render": [str(m) for m in self.meta.get("render_modes") or []],
            "illegal": "fault" if self.ours else self.meta.get("illegal_actions"),
            "malformed": "raise" if self.ours else self.meta.get("malformed_actions"),
            "batch": entry is not None,
            "modes": list(getattr(entry, "autoreset_modes", None) or getattr(self.base, "autoreset_modes", None) or []),
            "mode": getattr(self.meta.get("autoreset_mode"), "name", str(self.meta.get("autoreset_mode"))).lower(),
            "limit": self.limit(),
            "both": bool(self.meta.get("both_flags")),
            "births": bool(self.meta.get("births")),
            "rows": int(getattr(self.env, "num_envs", 0)),
        }

    def _declares(self, name: str) -> bool:
        """Whether the family of one of our own worlds defines a method that the contract leaves open."""
        found = getattr(type(self.simulator), name, None) if self.ours else None
        return found is not None and not getattr(found, "__qualname__", "").startswith("Simulator.")

    def entry(self) -> Any:
        """What makes the native batch of this environment, if there is one."""
        own = getattr(self.base, "vector_entry_point", None)
        return own if own is not None else getattr(getattr(self.env, "spec", None), "vector_entry_point", None)

    def space(self, seat: str) -> tuple[Any, Any]:
        """Observation and action space of a seat; whether they stay the same is watched."""
        found = self._look_up(seat)
        if self.checking:
            known = self._spaces.get(seat)
            if known is None:
                known = self._spaces[seat] = (*found, *map(space_print, found))
            for what, now, before, first in zip(("observation", "action"), found, known, known[2:]):
                if now is not before and self.kind in ("parallel", "aec"):
                    self.note("observation_in_space", f"{what}_space({seat!r}) is another object at every call")
                elif now is not before and space_print(now) != first:
                    self.note("observation_in_space", f"the {what} space changed to {short(now, 60)}")
        return found

    def spaces_begin(self) -> None:
        """Look at the spaces before the first reset, where they are there: what a user builds a network for."""
        if self.checking and self.kind in ("single", "vector") and not self._spaces:
            try:
                self.space("")
            except AttributeError:
                return

    def spaces_stay(self) -> None:
        """Note spaces that were changed in place."""
        for seat, (*_, before_o, before_a) in self._spaces.items():
            for what, now, before in zip(("observation", "action"), self._look_up(seat), (before_o, before_a)):
                if space_print(now) != before:
                    self.note("observation_in_space", f"the {what} space{of(seat)} changed to {short(now, 60)}")

    def _look_up(self, seat: str) -> tuple[Any, Any]:
        return self.env.observation_space, self.env.action_space

    # what is seen
    def note(self, law: str, sentence: str) -> None:
        """A complaint about what has just been seen."""
        if len(self.notes) < 50:
            self.notes.append([law, self.t, sentence])

    def mask(self, seat: str) -> Any:
        """The mask of a seat, or None."""
        info, obs = self.infos.get(seat), self.obs.get(seat)
        for place in (info, obs):
            if isinstance(place, dict) and place.get("action_mask") is not None:
                return place["action_mask"]
        ask = getattr(self.base, "action_masks", None)
        return ask() if callable(ask) and self.kind == "single" else None

    def asked(self) -> list[str]:
        """The seats that act now."""
        return self.seats

    def record(self) -> list[Any]:
        """What is seen now, part by part; see `FIELDS`."""
        masks = self.mask_digest()
        return [
            digest(self.obs),
            [_number(v) for v in self.rewards.values()],
            "".join(_flag(self.ended[s]) + _flag(self.cut.get(s)) for s in self.ended),
            digest(self.infos),
            masks,
            self.live(),
        ]

    def mask_digest(self) -> str:
        """A digest of the masks; `seen` where info or observation hold them, and empty where there are none."""
        for places in (self.infos, self.obs):
            for place in places.values():
                if isinstance(place, dict) and place.get("action_mask") is not None:
                    return "seen"
        masks = {seat: self.mask(seat) for seat in self.obs}
        return digest(masks) if any(m is not None for m in masks.values()) else ""

    def live(self) -> list[str]:
        """The seats that live."""
        return []

    def words(self) -> dict[str, str]:
        """What is seen now, for people."""
        flags = [
            f"{s or 'it'} {w}"
            for n, w in ((self.ended, "ended"), (self.cut, "was cut"))
            for s, v in n.items()
            if v is True
        ]
        return {
            "observation": short(self.obs[""] if list(self.obs) == [""] else self.obs),
            "reward": short(self.rewards[""] if list(self.rewards) == [""] else self.rewards, 60),
            "flags": ", ".join(flags),
            "info": short(self.infos[""] if list(self.infos) == [""] else self.infos, 90),
            "mask": short({s: m for s, m in ((s, self.mask(s)) for s in self.obs) if m is not None}, 90),
            "seats": ", ".join(self.live()),
        }

    def outcome(self, actions: Any) -> dict[str, Any]:
        """A step as plain values, for metrics, bounds and relations."""
        return {
            "actions": actions,
            "rewards": {s: _float(v) for s, v in self.rewards.items()},
            "terminated": {s: _plain(v) is True for s, v in self.ended.items()},
            "truncated": {s: _plain(v) is True for s, v in self.cut.items()},
        }

    def rows(self) -> list[list[Any]]:
        """What a row of a batch would have seen: observation, reward and flags, in values whose types do not matter."""
        reward, flags = self.rewards.get("", 0.0), [bool(self.ended.get("")), bool(self.cut.get(""))]
        return [[loose(self.obs[""]), _plain(reward), flags, None, None]]

    def hints(self, seat: str) -> list[str]:
        """Texts that an agent might write now: the menu, or words that it has just read."""
        try:
            if self.ours and "text" in self.simulator.views:
                number = self._number(seat)
                menu = self.simulator.menu(self.batch.state, 0, number)
                if menu:
                    return [choice.text for choice in menu]
        except Exception:
            return []
        words = " ".join(_texts(self.obs.get(seat))).split()[-40:]
        return words + [" ".join(pair) for pair in zip(words, words[1:])]

    def _number(self, seat: str) -> int:
        seats = self.simulator.seats
        return seats.index(seat) if seat in seats else int(self.base.form.seat)

    # moving
    def begin(self, seed: int | None, options: dict[str, Any] | None = None) -> None:
        """Reset."""
        self.t = 0
        given = {} if options is None else {"options": options}
        back = self.env.reset(seed=seed, **given) if seed is not None else self.env.reset(**given)
        if not (isinstance(back, tuple) and len(back) == 2):
            self.note("observation_in_space", f"reset returned {short(back)}; expected (observation, info)")
            back = (back[0] if isinstance(back, tuple) and back else back, {})
        self.obs, self.infos = {"": back[0]}, {"": back[1]}
        self.rewards, self.ended, self.cut, self.over = {}, {}, {}, False

    def act(self, actions: dict[str, Any]) -> None:
        """Step with actions as a user would give them."""
        back = self.env.step(actions[""])
        self.t += 1
        if not (isinstance(back, tuple) and len(back) == 5):
            raise TypeError(f"step returned {short(back)}; expected (observation, reward, terminated, truncated, info)")
        o, r, ended, cut, info = back
        self.obs, self.rewards, self.ended, self.cut, self.infos = {"": o}, {"": r}, {"": ended}, {"": cut}, {"": info}
        self.over = bool(ended) or bool(cut)

    def pack(self, actions: dict[str, Any]) -> Any:
        """The actions of the seats asked as one item of a script."""
        return actions[""]

    def unpack(self, item: Any) -> dict[str, Any]:
        """The inverse of `pack`; seats without an action get None."""
        return {"": item}

    # what is noted in passing
    def check(self) -> None:
        """Note what is wrong with what was just seen."""
        for seat, seen in self.obs.items():
            why = wrong_in(self.space(seat)[0], seen)
            if why:
                self.note("observation_in_space", f"the observation{of(seat)}: {why}")
        for seat, value in self.rewards.items():
            self._check_number(seat, value)
        for name, flags in (("terminated", self.ended), ("truncated", self.cut)):
            for seat, value in flags.items():
                if type(value) is not bool:
                    self.note(
                        "reward_and_flags",
                        f"{name}{of(seat)} is {short(value)} of {type(value).__name__}; expected a bool",
                    )
        for seat, info in self.infos.items():
            self._check_info(seat, info)
        self.check_masks()
        self.check_ends()
        self.check_invariants()

    def _check_number(self, seat: str, value: Any) -> None:
        name = type(value).__name__
        scalar = _is_array(value) and not isinstance(value, _ndarray()) and value.dtype.kind in "iuf"
        if isinstance(value, bool) or not (scalar or isinstance(value, (int, float))):
            self.note("reward_and_flags", f"the reward{of(seat)} is {short(value)} of {name}; expected a number")
        elif not math.isfinite(value):
            self.note("reward_and_flags", f"the reward{of(seat)} is {value!r}; expected a finite number")

    def _check_info(self, seat: str, info: Any) -> None:
        if not isinstance(info, dict):
            self.note("info", f"the info{of(seat)} is {type(info).__name__}; expected a dict")
            return
        why = _not_json(info)
        if why:
            self.note("info", f"the info{of(seat)}{why}")
        if self.rewards and not self.over and not self.meta.get("info_varies"):
            keys = set(map(str, info))
            known = getattr(self, "_info_keys", {}).get(seat)
            if known is None:
                self.__dict__.setdefault("_info_keys", {})[seat] = keys
            elif keys != known and not self.gone(seat):
                self.note("info", f"the info{of(seat)} has other keys than in the step before: {_differ(keys, known)}")

    def gone(self, seat: str) -> bool:
        """Whether a seat has come to its end."""
        return bool(self.ended.get(seat)) or bool(self.cut.get(seat))

    def check_masks(self) -> None:
        """Note masks that leave nothing to do, or have another form than their space."""
        if self.over:
            return
        for seat in self.asked():
            mask = self.mask(seat)
            if mask is None or self.gone(seat):
                continue
            space = self.space(seat)[1]
            if not mask_fits(space, mask):
                self.note("mask_sound", f"the mask{of(seat)} {short(mask)} has another form than {short(space, 60)}")
            elif self.waits_for(seat) and not all(any(row) for row in choices(space, _like(mask)) if row):
                self.stuck = True
                self.note("some_legal_action", f"the mask{of(seat)} allows nothing: {short(mask)}")

    def waits_for(self, seat: str) -> bool:
        """Whether the world waits for all the choices that the mask is about."""
        info = self.infos.get(seat)
        asked = info.get("asked") if isinstance(info, dict) else None
        if asked is None or not hasattr(asked, "all"):
            return asked is None or bool(asked)
        masks = self.mask(seat)
        if self.ours and isinstance(masks, dict):
            first = dict(zip((r.name for r in self.simulator.roles), self.simulator.offsets))
            return any(
                asked[first[name] + i] and not any(row)
                for name, rows in masks.items()
                for i, row in enumerate(rows.tolist())
            )
        return bool(asked.all())

    def of_those_asked(self, seat: str, mask: Any) -> Any:
        """A mask in plain lists, without what it says about those whom the world does not ask."""
        info = self.infos.get(seat)
        asked = info.get("asked") if isinstance(info, dict) else None
        if asked is None or not self.ours:
            return mask
        if not hasattr(asked, "tolist"):
            return mask if asked else None
        waited = asked.tolist()
        if isinstance(mask, dict):
            first = dict(zip((r.name for r in self.simulator.roles), self.simulator.offsets))
            return {
                n: [row if waited[first[n] + i] else [1] * len(row) for i, row in enumerate(rows)]
                for n, rows in mask.items()
            }
        if mask and isinstance(mask[0], (list, bytes)) and len(mask) == len(waited):
            return [row if w else [1] * len(row) for row, w in zip(mask, waited)]
        return mask

    def check_ends(self) -> None:
        """Note flags that contradict each other or the limit."""
        limit, seats = self.limit(), [s for s in self.ended if self.ended[s] and self.cut.get(s)]
        if seats and not self.meta.get("both_flags") and (limit is None or self.t != limit or self.ours):
            self.note("ends", f"both terminated and truncated{of(seats[0])}")
        if limit is None or not self.rewards or self.kind in ("vector", "aec"):
            return
        if self.t >= limit and not self.over:
            self.note("ends", f"step {self.t} of at most {limit}, and the episode goes on")
        elif self.t < limit and self.ours and any(v is True for v in self.cut.values()):
            self.note("ends", f"truncated at step {self.t}, before the limit of {limit}")

    def check_invariants(self) -> None:
        """Note what the world itself says must always hold."""
        held: dict[str, Any] = {}
        try:
            if self.ours:
                held = self.simulator.invariants(self.batch.state)
            elif callable(getattr(self.base, "invariants", None)):
                held = self.base.invariants()
        except Exception as error:
            self.note("invariants", f"invariants() raised {type(error).__name__}: {error}")
        for sentence, holds in held.items():
            if not (holds.all() if hasattr(holds, "all") else holds):
                self.note("invariants", f"it does not hold: {sentence}")

    def expect(self, legal: bool, before: list[Any]) -> None:
        """Note what a step did with actions that the mask allows, or does not."""
        codes = self._faults()
        claim = "fault" if self.ours else self.meta.get("illegal_actions")
        if legal:
            if self.ours and codes is not None:
                ruled_out = getattr(self.simulator, "masked_faults", None)
                names = self.simulator.faults
                bad = [names[c] for c in codes if c and (ruled_out is None or names[c] in ruled_out)]
                if bad and any(self.mask(s) is not None for s in self.obs):
                    self.note("mask_sound", f"an action that the mask allows was a fault: {bad[0]}")
            elif claim == "fault" and codes is not None and any(codes):
                self.note("mask_sound", f"an action that the mask allows was a fault: {codes}")
            return
        if claim == "fault" and codes is not None and not any(codes):
            self.note("mask_complete", "an action that the mask forbids was no fault")
        elif claim == "noop" and (digest(self.obs) != before[0] or any(v is True for v in self.ended.values())):
            self.note("mask_complete", "an action that the mask forbids changed what is seen")
        elif claim == "end" and not any(self.gone(s) for s in self.ended):
            self.note("mask_complete", "an action that the mask forbids did not end the episode")
        elif claim == "raise":
            self.note("mask_complete", "an action that the mask forbids did not raise")

    def _faults(self) -> list[int] | None:
        found: list[int] = []
        for info in self.infos.values():
            if isinstance(info, dict):
                for name in ("faults", "fault"):
                    if name in info:
                        value = info[name]
                        found.extend(_flat(value.tolist() if hasattr(value, "tolist") else value))
        return [int(c) for c in found] if found else None

    def looks(self) -> list[tuple[str, Callable[[], Any]]]:
        """Everything that shows something and should change nothing."""
        env, base = self.env, self.base
        found: list[tuple[str, Callable[[], Any]]] = [("str", lambda: str(env))]
        if getattr(env, "render_mode", None) is not None:
            found.append(("render", env.render))
        for name in ("state", "action_masks", "describe", "digest", "metrics", "invariants", "snapshot", "bounds"):
            call = getattr(base, name, None)
            if callable(call) and not (self.kind == "vector" and name == "digest"):
                found.append((name, call))
        if self.ours:
            simulator, state = self.simulator, self.batch.state
            seats = range(len(simulator.seats))
            for name in ("describe", "menu"):
                call = getattr(simulator, name)
                found.extend((name, functools.partial(call, state, 0, s)) for s in list(seats)[:3])
            for name in ("scene", "full", "summary"):
                found.append((name, functools.partial(getattr(simulator, name), state, 0)))
            if self.kind != "vector":
                found.append(("trace", base.trace))
        return found

    def close(self) -> None:
        """Close the environment, if it can be."""
        if callable(getattr(self.env, "close", None)):
            self.env.close()


def of(seat: str) -> str:
    """` of SEAT`, or nothing where there is one seat."""
    return f" of {seat}" if seat else ""


def _ndarray() -> Any:
    return sys.modules["numpy"].ndarray if "numpy" in sys.modules else ()


def _float(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _number(value: Any) -> Any:
    if _is_array(value) and len(value.shape):
        return [_number(v) for v in value.tolist()]
    return f"{type(value).__name__} {value!r}"[:80]


def _flag(value: Any) -> str:
    if _is_array(value) and len(value.shape):
        return "".join("+" if v else "-" for v in value.tolist())
    return {True: "+", False: "-"}.get(value, "?") if type(value) is bool else f"({value!r})"


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [t for v in value.values() for t in _texts(v)]
    return [t for v in value for t in _texts(v)] if isinstance(value, (list, tuple)) else []


def _differ(a: set[str], b: set[str]) -> str:
    return ", ".join([f"+{k}" for k in sorted(a - b)] + [f"-{k}" for k in sorted(b - a)])


def _not_json(value: Any, depth: int = 0) -> str:
    """Where a value is no JSON (arrays count as lists); empty if it is."""
    if depth > 20:
        return " is nested without end"
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return f" has the key {key!r}, which is no string"
            inside = _not_json(item, depth + 1)
            if inside:
                return f"[{key!r}]{inside}"
        return ""
    if isinstance(value, (list, tuple)):
        return next((why for why in (_not_json(v, depth + 1) for v in value) if why), "")
    if _is_array(value):
        if value.dtype.hasobject:
            return _not_json(value.tolist(), depth + 1)
        return "" if value.dtype.kind in "biufU" else f" is an array of {value.dtype}, which is no JSON"
    good = value is None or isinstance(value, (bool, int, float, str))
    return "" if good else f" is {type(value).__name__}, which is no JSON"


class Vector(World):
    """A batch of episodes in one environment."""

    kind = "vector"

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.n = int(env.num_envs)
        self.ended_before = [False] * self.n

    def mode(self) -> str:
        """`next_step`, `same_step` or `disabled`; empty if it is not declared."""
        mode = self.meta.get("autoreset_mode")
        return str(getattr(mode, "name", mode or "")).lower()

    def asked(self) -> list[str]:
        return [f"row_{i}" for i in range(self.n)]

    def _look_up(self, seat: str) -> tuple[Any, Any]:
        if seat.startswith("row_"):
            return self.env.single_observation_space, self.env.single_action_space
        return self.env.observation_space, self.env.action_space

    def mask(self, seat: str) -> Any:
        info = self.infos.get("")
        mask = info.get("action_mask") if isinstance(info, dict) else None
        if mask is None or not seat.startswith("row_"):
            return mask
        return _row(mask, int(seat[4:]))

    def waits_for(self, seat: str) -> bool:
        return not self.ended_before[int(seat[4:])] and not (self.ours and len(self.simulator.roles) > 1)

    def hints(self, seat: str) -> list[str]:
        words = " ".join(_texts(_row(self.obs[""], int(seat[4:])))).split()[-40:]
        return words + [" ".join(pair) for pair in zip(words, words[1:])]

    def begin(self, seed: int | None, options: dict[str, Any] | None = None) -> None:
        super().begin(seed, options)
        self.ended_before = [False] * self.n

    def act(self, actions: dict[str, Any]) -> None:
        rows = [actions[f"row_{i}"] for i in range(self.n)]
        if self.mode() == "disabled" and any(self.ended_before):
            mask = sys.modules["numpy"].array(self.ended_before)
            back = self.env.reset(options={"reset_mask": mask})
            self.began = _rows(back[0], self.n)
        space, numpy = self.env.action_space, sys.modules["numpy"]
        given: Any = tuple(rows)
        if kind_of(space) == "Dict":
            given = {n: numpy.stack([row[n] for row in rows]) for n, _ in _parts(space)}
        elif kind_of(space) != "Tuple":
            given = numpy.asarray(rows, space.dtype)
        self.given = given
        o, r, ended, cut, info = self.env.step(given)
        self.t += 1
        self.obs, self.rewards, self.ended, self.cut, self.infos = {"": o}, {"": r}, {"": ended}, {"": cut}, {"": info}
        self.ended_before = [bool(a) or bool(b) for a, b in zip(_list(ended), _list(cut))]

    def pack(self, actions: dict[str, Any]) -> Any:
        return [actions[f"row_{i}"] for i in range(self.n)]

    def unpack(self, item: Any) -> dict[str, Any]:
        return {f"row_{i}": None if item is None else item[i] for i in range(self.n)}

    def check(self) -> None:
        why = wrong_in(self.space("")[0], self.obs[""])
        if why:
            self.note("observation_in_space", f"the observation: {why}")
        parts = (("reward", self.rewards, "f"), ("terminated", self.ended, "b"), ("truncated", self.cut, "b"))
        for name, values, kinds in parts:
            for value in values.values():
                if not _is_array(value) or value.dtype.kind not in kinds or tuple(value.shape) != (self.n,):
                    what = f"an array of {self.n} {'floats' if kinds == 'f' else 'bools'}"
                    self.note("reward_and_flags", f"{name} is {short(value)}; expected {what}")
                elif kinds == "f" and not all(map(math.isfinite, value.tolist())):
                    self.note("reward_and_flags", f"the rewards are {short(value)}; expected finite numbers")
        for info in self.infos.values():
            if not isinstance(info, dict):
                self.note("info", f"the info is {type(info).__name__}; expected a dict")
            elif any(not isinstance(key, str) for key in info):
                self.note("info", "the info has a key that is no string")
        both = [
            i for i, (a, b) in enumerate(zip(_list(self.ended.get("", ())), _list(self.cut.get("", ())))) if a and b
        ]
        if both and not self.meta.get("both_flags"):
            self.note("ends", f"both terminated and truncated in row {both[0]}")
        self.check_masks()
        self.check_invariants()

    def of_those_asked(self, seat: str, mask: Any) -> Any:
        """Rows are asked one by one, and all that they hold."""
        return mask

    def expect(self, legal: bool, before: list[Any]) -> None:
        """Batches get legal actions only."""

    def rows(self) -> list[list[Any]]:
        """What each row saw: observation, reward and flags, in values whose types do not matter."""
        seen = _rows(self.obs[""], self.n)
        rewards = [_plain(v) for v in _list(self.rewards.get("", [0.0] * self.n))]
        flags = zip(_list(self.ended.get("", [False] * self.n)), _list(self.cut.get("", [False] * self.n)))
        final = self.infos[""].get("final_obs") if isinstance(self.infos.get(""), dict) else None
        lasts = [None if final is None or final[i] is None else loose(final[i]) for i in range(self.n)]
        began = getattr(self, "began", None) or [None] * self.n
        self.began = []
        return [
            [loose(o), r, [bool(a), bool(b)], last, None if start is None else loose(start)]
            for o, r, (a, b), last, start in zip(seen, rewards, flags, lasts, began)
        ]


def _list(value: Any) -> list[Any]:
    return list(value.tolist() if hasattr(value, "tolist") else value)


def _row(value: Any, i: int) -> Any:
    """Row `i` of a batched value."""
    if isinstance(value, dict):
        return {name: _row(part, i) for name, part in value.items()}
    if isinstance(value, tuple) and value and all(_is_array(p) and p.ndim for p in value):
        return tuple(part[i] for part in value)
    return value[i]


def _rows(value: Any, n: int) -> list[Any]:
    return [_row(value, i) for i in range(n)]


class Parallel(World):
    """A PettingZoo parallel environment."""

    kind = "parallel"

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.seen_seats: set[str] = set()

    def _look_up(self, seat: str) -> tuple[Any, Any]:
        return self.env.observation_space(seat), self.env.action_space(seat)

    def asked(self) -> list[str]:
        return list(self.env.agents)

    def live(self) -> list[str]:
        return [str(a) for a in self.env.agents]

    def waits_for(self, seat: str) -> bool:
        info = self.infos.get(seat)
        return not isinstance(info, dict) or bool(info.get("asked", True))

    def begin(self, seed: int | None, options: dict[str, Any] | None = None) -> None:
        self.t = 0
        given = {} if options is None else {"options": options}
        back = self.env.reset(seed=seed, **given)
        self.obs, self.infos = back
        self.rewards, self.ended, self.cut = {}, {}, {}
        self.over = not self.env.agents
        self.seats, self.seen_seats = list(self.env.agents), set(self.env.agents)
        possible = set(self.env.possible_agents)
        if self.checking:
            for name, keys in (("observations", self.obs), ("infos", self.infos)):
                if set(keys) != set(self.env.agents):
                    self.note("live_seats", f"reset: {name} are of {sorted(keys)}; live are {sorted(self.env.agents)}")
            if not set(self.env.agents) <= possible:
                self.note("live_seats", "reset: a live seat is not among possible_agents")

    def act(self, actions: dict[str, Any]) -> None:
        before = list(self.env.agents)
        back = self.env.step(actions)
        self.t += 1
        self.obs, self.rewards, self.ended, self.cut, self.infos = back
        if self.checking:
            self._check_seats(before)
        self.over = not self.env.agents

    def _check_seats(self, before: list[str]) -> None:
        now, new = list(self.env.agents), set(self.env.agents) - set(before)
        names = ("observations", "rewards", "terminations", "truncations", "infos")
        for name, keys in zip(names, (self.obs, self.rewards, self.ended, self.cut, self.infos)):
            if set(keys) - new != set(before):
                self.note("live_seats", f"{name} are of {sorted(keys)}; before the step lived {sorted(before)}")
                return
        if len(set(now)) != len(now):
            self.note("live_seats", f"a seat is listed twice: {now}")
        if new and (new & self.seen_seats or not self.meta.get("births")):
            again = sorted(new & self.seen_seats)
            born = f"{sorted(new)[0]} joined, and births are not declared"
            self.note("live_seats", f"{again[0]} lives again" if again else born)
        self.seen_seats |= new
        for seat in before:
            if self.gone(seat) and seat in now:
                self.note("live_seats", f"{seat} has ended and is still among the live")
            elif not self.gone(seat) and seat not in now:
                self.note("live_seats", f"{seat} is gone without a flag")
        if not set(now) <= set(self.env.possible_agents):
            self.note("live_seats", "a live seat is not among possible_agents")

    def pack(self, actions: dict[str, Any]) -> Any:
        return dict(actions)

    def unpack(self, item: Any) -> dict[str, Any]:
        return {seat: None if item is None else item.get(seat) for seat in self.env.agents}


class Aec(Parallel):
    """A PettingZoo AEC environment: a step is the action of the seat in turn; seats that ended are seen off in passing."""

    kind = "aec"

    def asked(self) -> list[str]:
        return [self.env.agent_selection] if self.env.agents else []

    def _refresh(self) -> None:
        env = self.env
        if env.agents:
            seat = env.agent_selection
            seen, reward, ended, cut, info = env.last()
            self.obs, self.rewards, self.infos = {seat: seen}, {seat: reward}, {seat: info}
            self.ended, self.cut = {seat: ended}, {seat: cut}
        self.over = not env.agents

    def begin(self, seed: int | None, options: dict[str, Any] | None = None) -> None:
        self.t = 0
        self.env.reset(seed=seed, **({} if options is None else {"options": options}))
        self.seats, self.seen_seats = list(self.env.agents), set(self.env.agents)
        self._refresh()
        self._see_off()

    def act(self, actions: dict[str, Any]) -> None:
        before, seat = list(self.env.agents), self.env.agent_selection
        self.env.step(actions[seat])
        self.t += 1
        self._refresh()
        if self.checking:
            self._check_tables(before)
        self._see_off()

    def _check_tables(self, before: list[str]) -> None:
        env, now = self.env, set(self.env.agents)
        new = now - set(before)
        if new and (new & self.seen_seats or not self.meta.get("births")):
            self.note("live_seats", f"{sorted(new)[0]} lives again or was born undeclared")
        self.seen_seats |= new
        if now and env.agent_selection not in now:
            self.note("live_seats", f"{env.agent_selection} is asked, and not among the live")
        gone = [a for a in before if a not in now]
        if gone:
            self.note("live_seats", f"{gone[0]} left with an action that was its own, before it was told of its end")
        for name in ("rewards", "terminations", "truncations", "infos"):
            keys = set(getattr(env, name))
            if not now <= keys:
                self.note("live_seats", f"{name} lack {sorted(now - keys)}")

    def _see_off(self) -> None:
        count = 0
        while self.env.agents and self.gone(self.env.agent_selection):
            if self.checking:
                self.check()
            gone = self.env.agent_selection
            self.env.step(None)
            if gone in self.env.agents or count > 10_000:
                self.note("live_seats", f"{gone} has ended, took its None, and is still among the live")
                self.over = True
                return
            count += 1
            self._refresh()

    def _check_info(self, seat: str, info: Any) -> None:
        why = "" if isinstance(info, dict) else f" is {type(info).__name__}; expected a dict"
        why = why or _not_json(info)
        if why:
            self.note("info", f"the info{of(seat)}{why}")

    def expect(self, legal: bool, before: list[Any]) -> None:
        """What an action did is told to its seat when it is its turn again, if at all."""
        if not legal and self.meta.get("illegal_actions") == "raise":
            self.note("mask_complete", "an action that the mask forbids did not raise")

    def pack(self, actions: dict[str, Any]) -> Any:
        return next(iter(actions.values()))

    def unpack(self, item: Any) -> dict[str, Any]:
        return dict.fromkeys(self.asked(), item)


WORLDS = {"single": World, "vector": Vector, "parallel": Parallel, "aec": Aec}


# --- making ----------------------------------------------------------------------------------------------------------
def load(path: str) -> Any:
    """The object `module:name` (dots allowed in the name)."""
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def build(
    target: dict[str, Any], form: str | None, config: dict[str, Any], rows: int, mode: str, render: str | None
) -> Any:
    """Make the environment of a target in a form."""
    more: dict[str, Any] = {} if render is None else {"render_mode": render}
    made, name = target.get("make"), str(target.get("name", ""))
    if target["how"] == "id":
        for module in target.get("imports", ()):
            importlib.import_module(module)
        if form in ("parallel", "aec"):
            return getattr(importlib.import_module("ludarium"), f"{form}_env")(name, **config, **more)
        gym = importlib.import_module("gymnasium")
        if form == "vector":
            given = {"autoreset_mode": mode} if mode else {}
            return gym.make_vec(name, num_envs=rows, vectorization_mode="vector_entry_point", **given, **config)
        return gym.make(name, disable_env_checker=True, **config, **more)
    make = load(name) if made is None else made
    if form == "vector" and target.get("kind") != "vector":
        entry = getattr(make, "vector_entry_point", None)
        if entry is None:
            entry = make(**config).unwrapped.vector_entry_point
        return entry(num_envs=rows, **({"autoreset_mode": mode} if mode else {}), **config)
    if target.get("kind") == "vector":
        return make(**config)
    return make(**config, **more)


_SHELL = ("t", "over", "seats", "obs", "rewards", "ended", "cut", "infos", "seen_seats", "ended_before")


def _shell(world: World) -> dict[str, Any]:
    return {name: copy.copy(world.__dict__[name]) for name in _SHELL if name in world.__dict__}


def _raised(error: BaseException, phase: str, step: int, legal: bool = True) -> dict[str, Any]:
    """An exception of the environment in plain values, its traceback shortened to the environment's own lines."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    lines = [
        f"{os.path.basename(f.filename)}:{f.lineno} in {f.name}: {(f.line or '').strip()[:100]}" for f in frames[-3:]
    ]
    return {
        "phase": phase,
        "step": step,
        "legal": legal,
        "type": type(error).__name__,
        "mro": [kind.__name__ for kind in type(error).__mro__],
        "message": " ".join(str(error).split())[:300],
        "lines": lines,
    }


def _global_print() -> int:
    """A number that changes with the process's random states."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return hash(random.getstate())
    name, keys, *rest = numpy.random.get_state()
    return hash((random.getstate(), name, keys.tobytes(), *rest))


def _scramble(seed: int) -> None:
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed & 0xFFFFFFFF)


class Driver:
    """Runs programs: lists of `[operation, arguments]` over worlds that have names."""

    def __init__(self, target: dict[str, Any], progress: Any = None) -> None:
        self.target, self.progress = target, progress
        self.worlds: dict[str, World] = {}
        self.failed: dict[str, dict[str, Any]] = {}
        self.kept: dict[str, tuple[Any, str, dict[str, Any]]] = {}
        self.heard: Callable[[], str] | None = None
        self._operation = 0

    def tell(self, phase: int, step: int = 0) -> None:
        """Leave word of what is being done, for whoever finds this process dead."""
        if self.progress is not None:
            self.progress[:12] = struct.pack("<III", self._operation, phase, step)

    def run(self, program: list[Any]) -> list[Any]:
        """Do the operations in order; the random state of the process is afterwards as it was."""
        before = random.getstate()
        numpy = sys.modules.get("numpy")
        arrays = None if numpy is None else numpy.random.get_state()
        ears, out = io.StringIO(), sys.stdout
        sys.stdout = ears
        try:
            _scramble(0)
            results = []
            for self._operation, (name, arguments) in enumerate(program):
                result = self._done(name, arguments)
                said = ears.getvalue() + (self.heard() if self.heard is not None else "")
                if said:
                    ears.seek(0)
                    ears.truncate()
                    if isinstance(result, dict) and "notes" in result:
                        result["notes"].append(["info", 0, f"it prints to standard output: {short(said, 60)}"])
                results.append(result)
            return results
        finally:
            sys.stdout = out
            self.tell(0)
            random.setstate(before)
            if arrays is not None and numpy is not None:
                numpy.random.set_state(arrays)

    def _done(self, name: str, arguments: dict[str, Any]) -> Any:
        """What comes of an operation; about a world that could not be made, what its making raised."""
        world = arguments.get("world")
        if name in ("make", "play", "begin") or world is None or world in self.worlds:
            return getattr(self, f"op_{name}")(**arguments)
        return {"raised": self.failed.get(world), "value": None, "notes": [], "relations": []}

    # operations
    def op_make(self, world: str, form: str | None = None, config: Any = None, rows: int = 3, mode: str = "",
                render: str | None = None) -> dict[str, Any]:  # fmt: skip
        """Make a world; its claims, or the exception."""
        self.tell(MAKE)
        try:
            env = build(self.target, form, dict(config or {}), rows, mode, render)
            made = WORLDS[detect(env)](env)
            self.worlds[world] = made
            return {"claims": made.claims(), "raised": None}
        except Exception as error:
            self.worlds.pop(world, None)
            self.failed[world] = _raised(error, "make", 0)
            return {"claims": None, "raised": self.failed[world]}

    def op_play(self, world: str, **how: Any) -> dict[str, Any]:
        """Play a world on; see `Play`. A world that could not be made raised what its making raised."""
        if world not in self.worlds:
            return {**empty_story(), "raised": self.failed.get(world)}
        return Play(self, self.worlds[world], **how).story

    def op_begin(self, world: str, seeds: list[int]) -> dict[str, Any]:
        """Reset with these seeds in turn; the last episode, or the first that raised: drawing in vain takes long."""
        story = empty_story()
        for seed in seeds:
            story = self.op_play(world, seed=seed)
            if story["raised"] is not None:
                break
        return story

    def op_threads(self, plays: list[dict[str, Any]]) -> list[Any]:
        """Play several worlds at once, each in a thread of its own."""
        done: list[Any] = [None] * len(plays)

        def one(i: int, how: dict[str, Any]) -> None:
            done[i] = self.op_play(**how)

        threads = [threading.Thread(target=one, args=(i, how)) for i, how in enumerate(plays)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return done

    def op_scramble(self, seed: int) -> None:
        """Set the process's random state to something else."""
        _scramble(seed)

    def op_snapshot(self, world: str, slot: str) -> dict[str, Any]:
        """Keep a snapshot."""
        self.tell(COPY)
        w = self.worlds[world]
        try:
            taken = w.base.snapshot()
            self.kept[slot] = (taken, digest(taken), _shell(w))
            return {"raised": None, "changed": False}
        except Exception as error:
            return {"raised": _raised(error, "snapshot", w.t)}

    def op_restore(self, world: str, slot: str) -> dict[str, Any]:
        """Go back to a snapshot, and say whether it has changed since it was taken."""
        self.tell(COPY)
        w, (taken, was, shell) = self.worlds[world], self.kept[slot]
        changed = digest(taken) != was
        try:
            w.base.restore(taken)
            again = digest(w.base.snapshot()) == was
        except Exception as error:
            return {"raised": _raised(error, "restore", w.t)}
        w.__dict__.update({name: copy.copy(value) for name, value in shell.items()})
        if isinstance(w, Aec):
            w._refresh()
        return {"raised": None, "changed": changed or digest(taken) != was, "again": again, "seen": w.record()}

    def op_copy(self, world: str, into: str, how: str) -> dict[str, Any]:
        """Copy a world with `deepcopy` or `pickle`."""
        self.tell(COPY)
        w = self.worlds[world]
        try:
            env = copy.deepcopy(w.env) if how == "deepcopy" else pickle.loads(pickle.dumps(w.env))
        except Exception as error:
            self.failed[into] = _raised(error, how, w.t)
            return {"raised": self.failed[into]}
        twin = type(w)(env)
        twin.__dict__.update(_shell(w))
        self.worlds[into] = twin
        return {"raised": None}

    def op_close(self, world: str) -> dict[str, Any]:
        """Close a world twice, and forget it."""
        self.tell(LOOK)
        w = self.worlds.pop(world)
        try:
            w.close()
            w.close()
        except Exception as error:
            return {"raised": _raised(error, "close", w.t)}
        return {"raised": None}

    def op_drop(self) -> None:
        """Forget all worlds and snapshots."""
        for w in self.worlds.values():
            try:
                w.close()
            except Exception:
                continue
        self.worlds.clear()
        self.kept.clear()

    def op_final(self, world: str, outcomes: list[Any]) -> dict[str, Any]:
        """The world's own figures at the end of an episode."""
        base, found = self.worlds[world].base, {}
        for name, arguments in (("metrics", ()), ("recount", (outcomes,)), ("bounds", ())):
            call = getattr(base, name, None)
            if callable(call):
                try:
                    found[name] = {str(k): _plain_number(v) for k, v in call(*arguments).items()}
                except Exception as error:
                    found["raised"] = _raised(error, name, self.worlds[world].t)
        info = next(iter(self.worlds[world].infos.values()), None)
        episode = info.get("episode") if isinstance(info, dict) else None
        if isinstance(episode, dict) and {"r", "l"} <= set(episode):
            found["episode"] = {"r": float(episode["r"]), "l": int(episode["l"])}
        return found

    def op_call(self, function: str, world: str, **arguments: Any) -> Any:
        """A function of a package that this interpreter has, about a world."""
        try:
            return {"value": load(function)(self.worlds[world], **arguments), "raised": None}
        except Exception as error:
            return {"value": None, "raised": _raised(error, function, self.worlds[world].t)}

    def op_relate(self, world: str, make: dict[str, Any], play: dict[str, Any]) -> dict[str, Any]:
        """Play an episode and its twin under each relation, and hold the outcomes against each other."""
        w, base = self.worlds[world], self.worlds[world].base
        relations = (w.simulator if w.ours else base).relations()
        options = None
        if w.ours and relations:
            try:
                found = w.simulator.instance(int(play["seed"]))
                options = {"instance": found.as_data() if hasattr(found, "as_data") else found}
            except NotImplementedError:
                options = None
        notes: list[Any] = []
        story = (
            self.op_play(world, **{**play, "options": options, "watch": ["outcomes"]}) if relations else empty_story()
        )
        if story["raised"] is not None:
            return {"notes": [], "relations": []}
        for relation in relations:
            first = _outcome(w, story)
            episode = {"config": dict(make.get("config") or {}), "seed": play["seed"], "options": options,
                       "actions": story["actions"]}  # fmt: skip
            twin = relation.twin(copy.deepcopy(episode))
            if twin is None:
                continue
            made = self.op_make(**{**make, "world": "twin", "config": twin["config"]})
            if made["raised"] is not None:
                notes.append(["symmetry", 0, f"{relation.name}: its twin cannot be made: {made['raised']['message']}"])
                continue
            other = self.op_play("twin", seed=twin["seed"], options=twin["options"], script=twin["actions"],
                                 length=len(twin["actions"]), watch=["outcomes"])  # fmt: skip
            second = _outcome(self.worlds["twin"], other)
            step, what = _apart(relation.expected(first), second, other)
            if what:
                notes.append(["symmetry", step, f"{relation.name}: {what}"])
        return {"notes": notes, "relations": [r.name for r in relations]}


def _plain_number(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    return [_plain_number(v) for v in value] if isinstance(value, (list, tuple)) else value


def _outcome(world: World, story: dict[str, Any]) -> dict[str, Any]:
    """What an episode came to, in plain values."""
    steps = [{k: v for k, v in step.items() if k != "actions"} for step in story["outcomes"]]
    metrics: dict[str, Any] = {}
    if world.ours:
        metrics = world.simulator.summary(world.batch.state, 0)
    elif callable(getattr(world.base, "metrics", None)):
        metrics = world.base.metrics()
    return {"steps": steps, "metrics": {k: _plain_number(v) for k, v in metrics.items()}}


def _apart(expected: dict[str, Any], found: dict[str, Any], story: dict[str, Any]) -> tuple[int, str]:
    """Where an outcome first differs from what was expected; floats at 1e-9 relative."""
    if story["raised"] is not None:
        return story["raised"]["step"], f"the twin raised {story['raised']['type']}: {story['raised']['message']}"
    for step, (a, b) in enumerate(zip(expected["steps"], found["steps"]), 1):
        for part in ("rewards", "terminated", "truncated"):
            if not near(a[part], b[part]):
                return step, f"{part} at step {step}: {short(a[part], 60)} expected, the twin has {short(b[part], 60)}"
    if len(expected["steps"]) != len(found["steps"]):
        return 0, f"{len(expected['steps'])} steps expected, the twin has {len(found['steps'])}"
    for name, value in expected["metrics"].items():
        if not near(value, found["metrics"].get(name)):
            return len(found["steps"]), f"{name}: {value} expected, the twin has {found['metrics'].get(name)}"
    return 0, ""


def near(a: Any, b: Any) -> bool:
    """Whether plain values are equal, floats at 1e-9 relative."""
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(near(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(near(x, y) for x, y in zip(a, b))
    if (isinstance(a, float) and isinstance(b, (int, float))) or (isinstance(b, float) and isinstance(a, int)):
        return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b)) or (a != a and b != b)
    return bool(a == b)


def empty_story() -> dict[str, Any]:
    """A story in which nothing has happened yet."""
    return {
        "seen": [], "actions": [], "wild": [], "notes": [], "raised": None, "over": False, "malformed": 0,
        "outcomes": [], "rows": [], "words": [],
    }  # fmt: skip


class Play:
    """A stretch of an episode: a reset (unless it goes on), then steps by a script or by a policy.

    `watch` names what is done beside: `check` (note all that is wrong), `outcomes`, `hold` (nothing returned may change
    later), `scribble` and `scribble actions` (overwrite what was returned, or given), `look` (show everything),
    `global` (the process's random state must stay), `rows` (of a vector, row by row), `words` (for people), `repair`
    (a scripted action that is not legal now becomes the lowest that is), `malformed` and `forbidden` (before each step,
    an action that must raise and change nothing), `beyond` (a step after the end must raise). Under `bare` no records are
    kept of what is seen.
    """

    def __init__(
        self, driver: Driver, world: World, *, seed: int | None = None, start: bool = True, options: Any = None,
        policy: Any = None, script: Any = None, length: int = 0, wild: Any = (), watch: Any = (), fault: int = 0,
    ) -> None:  # fmt: skip
        self.driver, self.world, self.watch, self.wild = driver, world, set(watch), set(wild)
        self.script, self.length, self.fault = script, int(length), int(fault)
        self.chooser = None if policy is None else Chooser(policy)
        self.story = empty_story()
        self.held: list[tuple[int, str, Any, str]] = []
        world.notes, world.checking = self.story["notes"], "check" in self.watch
        self.globally = _global_print() if "global" in self.watch else 0
        world.stuck = False
        if start:
            world.spaces_begin()
            self._guarded("reset", lambda: world.begin(seed, options))
            if self.story["raised"] is None:
                self._guarded("reset", lambda: self._see(None))
        for step in range(self.length):
            if self.story["raised"] is not None or world.over or world.stuck:
                break
            if self.script is not None and step >= len(self.script):
                break
            self._guarded("step", functools.partial(self._step, step))
        if self.story["raised"] is None:
            self._guarded("rest", self._at_the_end)
        self.story["over"] = world.over

    def _guarded(self, phase: str, call: Callable[[], Any], legal: bool = True) -> None:
        self.driver.tell(PHASES.index(phase), self.world.t + (phase == "step"))
        try:
            call()
        except (Exception, SystemExit) as error:
            self.story["raised"] = _raised(error, phase, len(self.story["actions"]), legal)

    def _step(self, step: int) -> None:
        world = self.world
        for kind in ("malformed", "forbidden"):
            if kind in self.watch:
                self._must_raise(kind)
        packed, legal = self._choose(step)
        given = self._real(packed)
        before = world.record() if not legal else []
        kept = [(a, a.copy()) for a in _arrays(given)] if world.checking else []
        self.story["actions"].append(packed)
        if not legal:
            self.story["wild"].append(len(self.story["actions"]) - 1)
        self._guarded("step", lambda: world.act(given), legal)
        if self.story["raised"] is not None:
            return
        if any(a.shape != b.shape or a.tobytes() != b.tobytes() for a, b in kept):
            world.note("action_untouched", "step changed the array of actions that it was given")
        if world.checking:
            world.expect(legal, before)
        if "scribble actions" in self.watch:
            _scribble([given, getattr(world, "given", None)])
        if "hold" in self.watch:
            for array in _arrays([given, getattr(world, "given", None)]):
                self.held.append((len(self.story["actions"]), "action", array, digest(array)))
        self._guarded("step", lambda: self._see(packed))

    def _choose(self, step: int) -> tuple[Any, bool]:
        """The packed actions of this step, and whether the masks allow all of them."""
        world, legal = self.world, True
        if self.script is not None:
            item, wild = self.script[step], step in self.wild
            if "repair" not in self.watch and item is not None:
                return item, not wild
            chosen = {}
            for seat, action in world.unpack(item).items():
                space, mask = self._mask(seat)
                if action is None or not (fits(space, action) and (wild or allowed(space, mask, action))):
                    action = lowest(space, mask)
                chosen[seat] = action
                legal = legal and allowed(space, mask, action)
            return world.pack(chosen), legal
        assert self.chooser is not None
        chosen = {}
        order = getattr(world.env, "possible_agents", None)
        for i, seat in enumerate(world.asked()):
            space, mask = self._mask(seat)
            place = order.index(seat) if order and seat in order else i
            chosen[seat], good = self.chooser.choose(space, mask, world.t, place, functools.partial(world.hints, seat))
            legal = legal and good
        return world.pack(chosen), legal

    def _mask(self, seat: str) -> tuple[Any, Any]:
        """The action space of a seat, and the mask of those of its choices that the world waits for."""
        space, mask = self.world.space(seat)[1], _like(self.world.mask(seat))
        if mask is None or not mask_fits(space, mask):
            return space, None
        return space, self.world.of_those_asked(seat, mask)

    def _real(self, packed: Any) -> dict[str, Any]:
        world = self.world
        found = {}
        for seat, plain in world.unpack(packed).items():
            space = world.space(seat)[1]
            found[seat] = real(space, lowest(space, None) if plain is None else plain)
        return found

    def _see(self, packed: Any) -> None:
        world, story = self.world, self.story
        if "bare" not in self.watch:
            story["seen"].append(world.record())
        if world.checking:
            world.check()
        if "outcomes" in self.watch and packed is not None and world.kind != "vector":
            story["outcomes"].append(world.outcome(packed))
        if "rows" in self.watch and world.kind in ("single", "vector"):
            story["rows"].append(world.rows())
        if "words" in self.watch:
            story["words"].append(world.words())
        if "global" in self.watch and _global_print() != self.globally:
            world.note("global_random", "the process's random state has changed")
            self.globally = _global_print()
        if "hold" in self.watch:
            self._was_kept(len(story["actions"]))
        if "scribble" in self.watch:
            _scribble([world.obs, world.infos if world.kind != "aec" else None])
        if "hold" in self.watch:
            self._hold(len(story["actions"]))
        if "look" in self.watch and (world.t < 3 or world.t % 16 == 0 or world.over):
            self._look()

    def _was_kept(self, step: int) -> None:
        """Note what was returned before and is not as it was."""
        for at, what, value, was in self.held[-3:] if step % 32 else self.held:
            if digest(value) != was:
                law = "action_untouched" if what == "action" else "nothing_aliased"
                self.world.note(law, f"the {what} of step {at} was changed at step {step}")
                self.held = [h for h in self.held if h[2] is not value]

    def _hold(self, step: int) -> None:
        """Keep what has just been returned (and overwritten, perhaps), to see whether it stays as it is."""
        world, seen = self.world, self.story["seen"][-1]
        told = [("observation", dict(world.obs), seen[0])]
        if world.kind != "aec":  # there, infos are the environment's own table
            told.append(("info", dict(world.infos), seen[3]))
        for what, value, was in told:
            self.held.append((step, what, value, digest(value) if "scribble" in self.watch else was))

    def _look(self) -> None:
        for name, call in self.world.looks():
            self.driver.tell(LOOK, self.world.t)
            try:
                call()
            except Exception as error:
                kinds = {kind.__name__ for kind in type(error).__mro__}
                if not kinds & {"NotImplementedError", "DependencyNotInstalled", "ImportError"}:
                    lines = _raised(error, "look", self.world.t)
                    self.world.note("looking", f"{name}() raised {lines['type']}: {lines['message']}")

    def _must_raise(self, kind: str) -> None:
        """Give an action that is none; it must raise, and what comes after must be as if it had not been."""
        world = self.world
        seats = [s for s in world.asked() if world.waits_for(s) and not world.gone(s)]
        if not seats:
            return
        seat = seats[0]
        space, mask = self._mask(seat)
        if kind == "malformed":
            bad = malformed(space, self.fault + world.t)
        else:
            bad = next((i for i, ok in enumerate(mask or ()) if not ok), None) if kind_of(space) == "Discrete" else None
            bad = _NO_ACTION if bad is None else real(space, bad + int(getattr(space, "start", 0)))
        if bad is _NO_ACTION:
            return
        self.story["malformed"] += 1
        given = {s: real(world.space(s)[1], lowest(*self._mask(s))) for s in world.asked()}
        given[seat] = bad
        try:
            if isinstance(world, Vector):
                rows = [given[s] for s in world.asked()]
                world.env.step(rows)
            else:
                world.env.step(given[seat] if world.kind in ("single", "aec") else given)
        except Exception as error:
            names = [k.__name__ for k in type(error).__mro__]
            if world.ours and "LudariumError" not in names:
                world.note(
                    "mask_complete", f"{short(bad, 50)} raised {names[0]}; expected an ActionError: {error}"[:200]
                )
            return
        world.note("mask_complete", f"{short(bad, 50)} is no action of {short(space, 50)}, and was taken")
        self.story["raised"] = {"phase": "step", "step": len(self.story["actions"]), "legal": False, "type": "nothing",
                                "mro": [], "message": "an action that is none was taken", "lines": []}  # fmt: skip

    def _at_the_end(self) -> None:
        world = self.world
        if world.checking:
            world.spaces_stay()
        if self.held:
            self._was_kept(0)
        if "beyond" in self.watch and world.over and world.ours and world.kind == "single":
            seen = digest(world.obs)
            try:
                world.env.step(real(world.space("")[1], lowest(world.space("")[1], None)))
                world.note("ends", "the episode is over, and takes another step")
            except Exception:
                if digest(world.obs) != seen:
                    world.note("ends", "a step after the end changed what had been seen")


# --- a process of its own --------------------------------------------------------------------------------------------
def _resident() -> int:
    """Bytes of memory that this process uses; 0 where that cannot be asked."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _limit_memory(limit: int) -> None:
    """Let no more than `limit` further bytes be taken."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            size = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (size + limit, size + limit))
    except (ImportError, OSError, ValueError):
        return


def main() -> None:
    """Answer programs on standard input, a line each; what the environment prints is caught and noted."""
    with open(sys.argv[1], "r+b") as file:
        progress = mmap.mmap(file.fileno(), 12)
    out = os.fdopen(os.dup(1), "w", buffering=1)
    caught = open(sys.argv[1] + ".out", "w+b")  # noqa: SIM115  (open for as long as the process lives)
    os.dup2(caught.fileno(), 1)
    lines, sys.stdin = sys.stdin, open(os.devnull)  # noqa: SIM115  (an environment that reads input gets none)
    first = json.loads(lines.readline())
    sys.path[:] = first["path"] + [p for p in sys.path if p not in first["path"] and p != os.path.dirname(__file__)]
    heard = 0

    def listen() -> str:
        nonlocal heard
        end = os.lseek(1, 0, os.SEEK_END)
        said = os.pread(1, end - heard, heard)
        heard = end
        return said.decode(errors="replace")

    def driving(target: dict[str, Any]) -> Driver:
        made = Driver(target, progress)
        made.heard = listen
        return made

    driver, limit, before = driving(first["target"]), int(first.get("memory") or 0), 0
    for line in lines:
        program = json.loads(line)
        if isinstance(program, dict):  # another environment takes its turn
            driver = driving(program["target"])
            continue
        results = driver.run(program)
        if limit and not before:  # from the first environment on: importing it is not its leak
            before = _resident() or 1
            _limit_memory(limit)
        print(json.dumps({"results": results, "grown": _resident() - before if before else 0}), file=out, flush=True)


if __name__ == "__main__":
    main()
