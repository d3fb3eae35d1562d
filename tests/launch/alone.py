"""Run one notebook where it lies, as Colab would: nothing of the course is beside it, and nothing of it is installed.

    python tests/launch/alone.py NOTEBOOK.ipynb [CELLS]

Runs all code cells, or only the first CELLS of them, in a kernel of the Python that runs this script, and writes the outputs
back. One cell is added at the end; it prints where `helpers` came from.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

path = Path(sys.argv[1]).resolve()
notebook = nbformat.read(path, as_version=4)
if len(sys.argv) > 2:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = code[: int(sys.argv[2])]
notebook.cells.append(nbformat.v4.new_code_cell("print(sys.modules['helpers'].__file__)"))
client = NotebookClient(
    notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
)
try:
    client.execute()
finally:
    nbformat.write(notebook, path)
