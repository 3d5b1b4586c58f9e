"""TOML and JSON documents, and values put into them by path."""

from __future__ import annotations

import json
import re
import sys
import textwrap
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kernel.checks.text import brief, system_path
from kernel.errors import InvalidInput, Problem, Problems
from kernel.files import read_content

MOST_DEPTH = 32  # of tables and lists in each other
_MOST_BYTES = 2**26  # of a file: the residuals of a million rows
_MOST_DIGITS = 18
_COMMENT = 98  # characters of a line
_ENTRY = re.compile(r'"[^"]*"|\'[^\']*\'|[^\s\[\],{}="\'](?:[^\[\],{}="\']*[^\s\[\],{}="\'])?')
_STEP = re.compile(r'(?:^|\.)(?:"([^"]*)"|([\w-]+))|\[(\d+)\]')


def read_document(path: Path) -> dict[str, Any]:
    """Read a .toml or .json file.

    Raises:
        InvalidInput: if it cannot be read, with the line where that is the reason.
    """
    suffix = path.suffix.lower()
    if suffix not in _PARSERS:
        raise InvalidInput([Problem(str(path), f"must be a {' or '.join(_PARSERS)} file")])
    read = partial(read_content, system_path(path), _MOST_BYTES)
    return _document(str(path), suffix[1:].upper(), _PARSERS[suffix], read)


def read_stdin() -> dict[str, Any]:
    """Read what stands on stdin: JSON if it begins with a brace, else TOML.

    Raises:
        InvalidInput: if it cannot be read, with the line where that is the reason.
    """
    return _document("stdin", "TOML or JSON", _parse_either, _stdin)


def _stdin() -> bytes:
    if sys.stdin is None:
        raise OSError("it is closed")
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(f"it has more than {_MOST_BYTES >> 20} MiB")
    return content


def _document(name: str, form: str, parse: Callable[[str], Any], read: Callable[[], bytes]) -> dict[str, Any]:
    try:
        document = parse(read().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))
    except MemoryError:
        message = "does not fit into memory"
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text: {error}"
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
    except (ValueError, RecursionError) as error:
        message = f"is not valid {form}: {error}"
    else:
        if isinstance(document, dict) and not is_deep(document):
            return document
        message = f"must hold one object, whose values are at most {MOST_DEPTH} deep"
    raise InvalidInput([Problem(name, message)])


def is_deep(value: Any) -> bool:
    """Say whether tables and lists lie in each other too deep."""
    level = [value]
    for _ in range(MOST_DEPTH):
        held = {id(value): value for value in level if isinstance(value, dict | list)}  # each once
        level = [inner for value in held.values() for inner in (value.values() if isinstance(value, dict) else value)]
    return bool(level)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = sorted(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    if twice:
        raise ValueError(f"the key {brief(twice[0])} stands more than once in one object")
    return dict(pairs)


def _parse_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_distinct)


def _parse_either(text: str) -> Any:
    return (_parse_json if text.lstrip().startswith("{") else tomllib.loads)(text)


_PARSERS: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": _parse_json}


def commented(sentences: Iterable[str]) -> str:
    """Write sentences as the comments of a TOML document.

    Example:
        >>> print(commented(["drift is 0", "jumps are rare"]), end="")
        # drift is 0
        # jumps are rare
    """
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, _COMMENT)]
    return "".join(f"# {line}\n" for line in lines)


def to_toml(document: Mapping[str, Any], prefix: str = "") -> str:
    """Write a document of tables, lists, numbers and texts; None, which TOML lacks, is written as nan.

    Example:
        >>> print(to_toml({"market": {"model": "gbm", "spot": [100.0]}}))
        [market]
        model = "gbm"
        spot = [100.0]
        <BLANKLINE>
    """
    lines = [f"[{prefix}]"] if prefix else []
    tables = {key: value for key, value in document.items() if isinstance(value, Mapping)}
    lines += [f"{key} = {_toml(value)}" for key, value in document.items() if key not in tables]
    parts = ["\n".join(lines) + "\n"] if len(lines) > bool(prefix) else []
    return "\n".join([*parts, *(to_toml(table, f"{prefix}.{key}".lstrip(".")) for key, table in tables.items())])


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_toml(one)}' for key, one in value.items())}}}"
    return "nan" if value is None else json.dumps(value, ensure_ascii=False)


def override(problems: Problems, document: dict[str, Any], overrides: Mapping[str, Any] | Iterable[str]) -> None:
    """Put values in their places, by path such as market.volatility or account.positions[0].quantity.

    Args:
        problems: takes what has no place.
        document: is changed; keys that it does not know are made.
        overrides: values by path, or texts "path=value" with a TOML value; what is none is a string.
    """
    pairs = overrides.items() if isinstance(overrides, Mapping) else _pairs(problems, overrides)
    for key, value in pairs:
        steps = [_place(index) if index else quoted or bare for quoted, bare, index in _STEP.findall(key)]
        if not steps or "".join(match[0] for match in _STEP.finditer(key)) != key:
            problems.add(key, "must be a path such as market.volatility or account.positions[0].quantity")
            continue
        if len(steps) + 1 > MOST_DEPTH or is_deep(value):
            problems.add(key, f"must be at most {MOST_DEPTH} deep")
            continue
        with problems.under(""):
            _put(document, steps, value)


def _place(index: str) -> int:
    """Return a place in a list; no list has one of so many digits."""
    return int(index) if len(index) <= _MOST_DIGITS else sys.maxsize


def _pairs(problems: Problems, texts: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for text in texts:
        key, equals, value = text.partition("=")
        if equals and key.strip():
            yield key.strip(), _toml_value(value.strip())
        else:
            problems.add("--set", f"must be KEY=VALUE, such as market.volatility=0.8, not {brief(text)}")


def _toml_value(text: str) -> Any:
    """Return a TOML value, also of a number without a leading 0; what is none, such as a bare word, is a string.

    The same goes for the entries of a list: [BTC, ETH] holds two strings.
    """
    stated = _ENTRY.sub(lambda match: _entry(match[0]), text) if text.startswith("[") else _number(text)
    try:
        table = tomllib.loads(f"value = {stated}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if len(table) == 1 else text


def _number(text: str) -> str:
    """Put a 0 before a leading point."""
    return re.sub(r"^([+-]?)\.(?=\d)", r"\g<1>0.", text)


def _entry(text: str) -> str:
    """Return an entry of a list as TOML has it: what is no value is put in quotes."""
    try:
        tomllib.loads(f"value = {_number(text)}")
    except ValueError:
        return json.dumps(text)
    return _number(text)


def _put(document: dict[str, Any], steps: Sequence[str | int], value: Any) -> None:
    place: Any = document
    for k, step in enumerate(steps):
        above, last = joined(steps[:k]), k == len(steps) - 1
        if isinstance(step, int) and not (isinstance(place, list) and step < len(place)):
            count = f"has {len(place)} entries, counted from 0" if isinstance(place, list) else "is not a list"
            raise InvalidInput([Problem(joined(steps), f"has no place: {above} {count}")])
        if isinstance(step, str) and not isinstance(place, dict):
            mend = f"is a list: write {above}[0]" if isinstance(place, list) else "has no keys"
            raise InvalidInput([Problem(joined(steps), f"has no place: {above} {mend}")])
        if last:
            place[step] = value
        else:
            place = place.setdefault(step, {}) if isinstance(step, str) else place[step]


def joined(steps: Iterable[str | int]) -> str:
    """Write a path.

    Example:
        >>> joined(["account", "positions", 0, "quantity"])
        'account.positions[0].quantity'
    """
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path
