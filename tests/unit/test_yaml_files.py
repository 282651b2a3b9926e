"""YAML files: what is read, and the sentence of each mistake."""

from __future__ import annotations

import pytest
import yaml

import fifos
from project import PROJECT
from refashion import yaml_files
from refashion.errors import UserError


@pytest.mark.parametrize("name", ["config.yaml", "quick.yaml", "full.yaml", "original.yaml", "schema.yaml"])
def test_the_committed_files_are_read_as_by_yaml_itself(name):
    path = PROJECT / "config" / name
    assert yaml_files.read(path) == yaml.safe_load(path.read_text(encoding="utf-8"))
    assert yaml_files.read(str(path)) == yaml_files.read(path)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"", None),
        (b"\xef\xbb\xbfa: 1\n", {"a": 1}),  # a byte order mark, as editors on Windows write
        ("a: Müller\r\nb: 2\r\n".encode(), {"a": "Müller", "b": 2}),
        (b"a: {x: 1}\nb: {x: 2}\nc: [{x: 1}, {x: 2}]\n", {"a": {"x": 1}, "b": {"x": 2}, "c": [{"x": 1}, {"x": 2}]}),
        (b"1: a\n'1': b\n", {1: "a", "1": "b"}),
        (b"base: &b {x: 1, y: 2}\nown: {<<: *b, x: 3}\n", {"base": {"x": 1, "y": 2}, "own": {"x": 3, "y": 2}}),
        (b"own:\n  <<: [{x: 1}, {x: 2}]\n", {"own": {"x": 1}}),
        (b"a: &a [1]\nb: [*a, *a]\n", {"a": [1], "b": [[1], [1]]}),
    ],
)
def test_valid_files(tmp_path, content, value):
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    assert yaml_files.read(path) == value


#: name: (content, what follows the path)
MISTAKES = {
    "key twice": (b"# first\na: 1\nb: 2\na: 3\n", ", line 4: the key 'a' stands twice."),
    "key twice, spelled otherwise": (b"a: 1\n'a': 3\n", ", line 2: the key 'a' stands twice."),
    "key twice below": (b"t:\n  - x: {k: 1,\n        k: 1}\n", ", line 3: the key 'k' stands twice."),
    "number twice": (b"t: {10: 1, 10.0: 2}\n", ", line 1: the key 10.0 stands twice."),
    "key twice beside a merge": (
        b"b: &b {x: 1}\nt:\n  <<: *b\n  x: 2\n  x: 3\n",
        ", line 5: the key 'x' stands twice.",
    ),
    "two merges": (b"b: &b {x: 1}\nt:\n  <<: *b\n  <<: *b\n", ", line 4: the key '<<' stands twice."),
    "list within itself": (b"a: &a\n  - *a\n", ", line 2: an alias names the entry that it stands in."),
    "table within itself": (b"a: &a {b: [{c: *a}]}\n", ", line 1: an alias names the entry that it stands in."),
    "aliases of aliases": (
        b"a0: &a0 [x]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 11)),
        ", line 7: its aliases, written out, are more than 1,000,000 entries.",
    ),
    "merges of merges": (
        b"a0: &a0 {x: 1}\n"
        + b"".join(b"a%d: &a%d {<<: [%s]}\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 11)),
        ", line 7: its aliases, written out, are more than 1,000,000 entries.",
    ),
    "open bracket": (b"a: 1\nb: [1, 2\n", ", line 3: no valid YAML (expected ',' or ']', but got '<stream end>')."),
    "tab": (b"a:\n\tb: 1\n", ", line 2: no valid YAML (found character '\\t' that cannot start any token)."),
    "indent": (b"a: 1\n b: 2\n", ", line 2: no valid YAML (mapping values are not allowed here)."),
    "alias of nothing": (b"a: *b\n", ", line 1: no valid YAML (found undefined alias 'b')."),
    "two documents": (b"a: 1\n---\na: 2\n", ", line 2: no valid YAML (but found another document)."),
    "a list as a key": (b"? [1]\n: 2\n", ", line 1: no valid YAML (found unhashable key)."),
    "object": (b"a: 1\nb: !!python/object/apply:os.getcwd []\n", ", line 2: no valid YAML (could not determine a"),
    "no date": (b"a: 2025-13-45\n", ": no valid YAML (month must be in 1..12"),
    "no date as a key": (b"2025-13-45: 1\n", ": no valid YAML (month must be in 1..12"),
    "deep": (b"[" * 20_000, ": no valid YAML (it is nested too deeply)."),
    "latin-1": ("a: 1\nb: Müller\n".encode("latin-1"), ", line 2: the byte 0xfc is no UTF-8; save the file as UTF-8."),
    "utf-16": ("a: 1\n".encode("utf-16"), ", line 1: the byte 0xff is no UTF-8; save the file as UTF-8."),
    "control character": (b"a: 1\nb: \x00\n", ", line 2: the character 0x0000 is not allowed in YAML."),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_sentence_with_file_and_line(tmp_path, name):
    content, told = MISTAKES[name]
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    assert_told(path, f"{path}{told}")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("none.yaml", "is missing; a YAML file is wanted."),
        (".", "is a folder; a YAML file is wanted."),
        ("x\0y", "cannot be read: embedded null byte."),
        ("x" * 300, "cannot be read: File name too long."),
    ],
)
def test_a_file_that_is_none(tmp_path, name, told):
    assert_told(tmp_path / name, told)


def test_a_fifo_is_told_and_not_waited_for(tmp_path):
    with fifos.fed(tmp_path / "x.yaml", b"a: 1"):
        assert_told(tmp_path / "x.yaml", "is a FIFO; a YAML file is wanted.")


def assert_told(path, told):
    with pytest.raises(UserError) as caught:
        yaml_files.read(path)
    sentence = str(caught.value)
    assert told in sentence
    assert sentence.startswith(str(path))
    assert sentence.endswith(".")
    assert "\n" not in sentence.replace(str(path), "")


def test_texts_from_a_command_line_mean_what_they_mean_in_a_file():
    given = {"seeds": ["0", "1"], "limits": {"images": "500"}, "evidence": "false", "title": "A: b", "device": "cpu"}
    meant = {"seeds": [0, 1], "limits": {"images": 500}, "evidence": False, "title": "A: b", "device": "cpu"}
    assert yaml_files.typed(given) == meant
    assert yaml_files.typed(meant) == meant
