"""Runs the notebooks of this folder from top to bottom and keeps their outputs (extra `notebooks`).

python notebooks/refresh.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

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
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output["data"].pop("image/jpeg", None)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.ipynb")):
        refresh(path)
        print(path.name)
