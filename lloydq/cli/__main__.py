"""python -m lloydq.cli"""

import sys

from . import main

sys.exit(main())
