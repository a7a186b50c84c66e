"""The notebooks run from top to bottom, and are kept executed."""

import json
import warnings
from pathlib import Path
from tempfile import gettempdir

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def cells(path):
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_there_are_four():
    assert [path.stem[0] for path in NOTEBOOKS] == ["1", "2", "3", "4"]


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
def test_runs_from_top_to_bottom_in_a_clean_kernel(path, tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    notebook = nbformat.read(path, as_version=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Jupyter's own
        nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert "".join(output.get("text", "") for output in first.outputs).count("\n") >= 1  # it says something


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_says_what_is_to_be_seen(path):
    outputs = [output for cell in cells(path) for output in cell["outputs"] if "image/png" in output.get("data", {})]
    assert outputs
    for output in outputs:
        assert len(output["metadata"]["image/png"]["alt"]) > 40
