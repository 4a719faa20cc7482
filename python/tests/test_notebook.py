"""The notebook that retells the tour runs, cell by cell, and shows what it says."""

from __future__ import annotations

import ast
import json
import pathlib
import tempfile

import pytest

NOTEBOOK = pathlib.Path(__file__).resolve().parents[2] / "examples" / "python" / "tour.ipynb"


def cells():
    notebook = json.loads(NOTEBOOK.read_text())
    assert notebook["nbformat"] == 4
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(source, names):
    """Run a cell as a notebook does: what its last line comes to, where that is an expression."""
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)  # noqa: S102
    return None if last is None else eval(compile(last, "cell", "eval"), names)  # noqa: S307


@pytest.mark.filterwarnings("ignore:Room has no limit")
def test_every_cell_runs_and_tells_the_story(capfd, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names, shown = {"__name__": "__main__"}, []
    for source in cells():
        shown.append(run(source, names))
    said = capfd.readouterr().out
    values = {name: float(number) for name, _, number in (line.partition(": ") for line in said.splitlines()) if number.replace(".", "").isdigit()}
    assert values["without a target network"] > 200 > values["with one"], "no state is worth more than 100"
    assert "overestim" in said or "value" in said, "diagnose says something of the values"
    assert shown[-1] == {15.0: "heat", 27.0: "rest"}
    assert names["run"].final.mean_return > 475 and (names["runs"] / "agent.gif").stat().st_size > 1000


def test_the_notebook_holds_no_output():
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)
