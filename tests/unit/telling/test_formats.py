"""Words in CSV, Markdown and LaTeX stay words."""

from refashion.telling import formats


def test_latex_escapes():
    row = {"a": r"50% & $x_1^2$ #~{\}", "b": "\u22120.4\u00a0pp"}
    body = formats.to_latex([row]).splitlines()[4]
    assert body == (r"50\% \& \$x\_1\textasciicircum{}2\$ \#\textasciitilde{}\{\textbackslash{}\} & $-$0.4~pp \\")
