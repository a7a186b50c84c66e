"""The notebooks run from top to bottom, and are kept executed."""

import json
from pathlib import Path
from tempfile import gettempdir

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def cells(path):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_there_are_some():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_kept_executed_small_and_of_no_particular_machine(path):
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 1_000_000
    here = (Path.home(), Path(gettempdir()), Path(__file__).parent.parent, "site-packages")
    assert not any(f"{folder}/" in text for folder in here)
    for number, cell in enumerate(cells(path), 1):
        assert cell["execution_count"] == number
        assert all(output["output_type"] != "error" for output in cell["outputs"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_from_top_to_bottom(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for cell in cells(path):
        exec(compile("".join(cell["source"]), path.name, "exec"), names)
    assert capsys.readouterr().out
