"""YAML with a line for everything: values as plain Python, and where each of them stands in the file."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

import yaml

Path = tuple[str | int, ...]
#: a few seconds of reading; a long policy has a tenth of it
_MOST_CHARACTERS = 400_000
_MOST_NODES = 50_000
_MOST_DEPTH = 20


class PolicyError(Exception):
    """A policy file that cannot be used; `mistakes` has (line, message) for every one of them, lines from 1."""

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        super().__init__("\n".join(f"line {line}: {message}" for line, message in mistakes))
        self.mistakes = mistakes
        #: where it was read from a file
        self.file: FilePath | None = None


class Lines:
    """Where things stand: the line of a path, or of the nearest thing around it that is there."""

    def __init__(self) -> None:
        self._lines: dict[Path, int] = {(): 1}

    def put(self, path: Path, line: int) -> None:
        self._lines.setdefault(path, line)

    def of(self, path: Path) -> int:
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]


class _Reader:
    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self.lines = Lines()
        #: what is no YAML value or stands there twice, by its path
        self.mistakes: list[tuple[Path, int, str]] = []
        self._seen = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._seen += 1
        line = node.start_mark.line + 1
        # aliases repeat what they name: a few lines can stand for billions of values
        if self._seen > _MOST_NODES or len(path) > _MOST_DEPTH:
            raise PolicyError([(line, "the file is too large or too deep for a policy")])
        self.lines.put(path, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        try:
            return self._loader.construct_object(node)
        # a value that a tag (!!timestamp soon) calls something that it is not breaks PyYAML in many ways
        except (yaml.YAMLError, ValueError, AttributeError, KeyError, IndexError):
            self.mistakes.append((path, line, "a value that cannot be read; put it in quotes"))
            return None

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._name(key_node)
            if key is None:
                self.mistakes.append((path, line, "a name that YAML does not take for text; put it in quotes"))
                continue
            if key in found:
                self.mistakes.append(((*path, key), line, f"{key} is given twice"))
                continue
            self.lines.put((*path, key), line)
            found[key] = self.value(value_node, (*path, key))
        return found

    def _name(self, node: yaml.Node) -> str | None:
        # `<<` merges another part into this one, so that a line no longer says what holds: refused like any odd name
        if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:merge":
            return None
        try:
            key = self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError, AttributeError, KeyError, IndexError):
            return None
        return key if isinstance(key, str) else None


def read_yaml(text: str) -> tuple[dict[str, Any], Lines, list[tuple[Path, int, str]]]:
    """The file's mapping, the lines of everything in it, and what in it could not be read. Raises PolicyError."""
    if len(text) > _MOST_CHARACTERS:
        raise PolicyError([(1, "the file is too large for a policy")])
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise PolicyError([(line, "a character that cannot stand in YAML; use a text editor to take it out")]) from None
    try:
        node = loader.get_single_node()
        reader = _Reader(loader)
        if not isinstance(node, yaml.MappingNode):
            raise PolicyError([(1, "the file holds no settings: it begins with a name and a colon, like version: …")])
        found = reader.value(node, ())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read"
        raise PolicyError([((mark.line + 1) if mark else 1, f"not YAML: {problem}")]) from None
    except RecursionError:
        raise PolicyError([(1, "the file is too deep for a policy")]) from None
    finally:
        loader.dispose()
    return found, reader.lines, reader.mistakes
