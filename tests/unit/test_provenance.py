"""Where runs and reports come from: what makes a report old."""

from refashion import provenance


def test_the_digest_of_folders_knows_names_and_bytes_and_no_bytecode(tmp_path):
    (tmp_path / "inner" / "__pycache__").mkdir(parents=True)
    (tmp_path / "inner" / "a.py").write_text("one")
    first = provenance.digest([tmp_path])
    (tmp_path / "inner" / "__pycache__" / "a.pyc").write_text("compiled")
    (tmp_path / ".hidden").write_text("of an editor")
    assert provenance.digest([tmp_path]) == first
    (tmp_path / "inner" / "a.py").write_text("two")
    second = provenance.digest([tmp_path])
    (tmp_path / "inner" / "a.py").rename(tmp_path / "inner" / "b.py")
    assert len({first, second, provenance.digest([tmp_path])}) == 3
