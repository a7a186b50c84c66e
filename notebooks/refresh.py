"""Runs the notebooks of this folder from top to bottom and keeps their outputs (extra `notebooks`).

python notebooks/refresh.py
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent


def refresh(path: Path) -> None:
    """Execute one notebook in place, leaving out what would change at each run or take space twice."""
    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as folder:  # for the files that the cells write
        where = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=300, resources=where, coalesce_streams=True).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for i, cell in enumerate(notebook.cells):
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output["data"].pop("image/jpeg", None)
                output["metadata"] = {"image/png": {"alt": description(notebook.cells, i)}}
    nbformat.write(notebook, path)


def description(cells: list[Any], i: int) -> str:
    """What is to be seen in a figure of cell i, for those who cannot see it: the line in italics below it, or above."""
    for cell in (*cells[i + 1 : i + 2], cells[i - 1]):
        if cell.cell_type == "markdown" and (found := re.search(r"(?m)^\*([A-Z][^*]{40,})\*$", cell.source)):
            return found[1]
    raise ValueError(f"cell {i} draws a figure that no line in italics describes")


if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.ipynb")):
        refresh(path)
        print(path.name)
