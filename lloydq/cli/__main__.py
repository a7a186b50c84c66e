"""python -m lloydq.cli"""

from . import run

run()
