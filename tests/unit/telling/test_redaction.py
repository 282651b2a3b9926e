"""What leaves this machine names no home folder and holds nothing unprintable."""

import pytest

from refashion.telling.redaction import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ada/x.py", "~/x.py"),
        ('File "/home/ada.lovelace/a b"', 'File "~/a b"'),
        ("/Users/ada/Library", "~/Library"),
        (r"C:\Users\ada\x", r"~\x"),
        ("/root/x and /root", "~/x and ~"),
        ("/rooted/x", "/rooted/x"),
        ("results/home/x", "results/home/x"),
        ("cannot read '/gpfs/home/ada/study'", "cannot read '~/study'"),
        ("cannot read '/mnt/home/ada'", "cannot read '~'"),
        ("cannot read '/scratch/ada/results'", "cannot read '~/results'"),
        ("cannot read '/mnt/nfs/scratch/ada/x'", "cannot read '~/x'"),
        ("cannot read '/export/homes/ada/x'", "cannot read '~/x'"),
        ("cannot read 'results/home/x'", "cannot read 'results/home/x'"),
        ("bell\x07, nul\x00", "bell\ufffd, nul\ufffd"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("user\u202egpj.exe", "user[U+202E]gpj.exe"),
        ("\u2066a\u2069\u200f", "[U+2066]a[U+2069][U+200F]"),
    ],
)
def test_redact(text, expected):
    assert redact(text) == expected
    assert redact({text: [text]}) == {expected: [expected]}


def test_redact_knows_this_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert redact(f"{tmp_path}/me/x, {tmp_path}/men") == f"~/x, {tmp_path}/men"
