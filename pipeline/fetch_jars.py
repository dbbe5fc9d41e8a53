"""The command `python -m pipeline.fetch_jars`, under the name that scripts and images call it by."""

import sys

from pipeline.runtime.fetch_jars import main

if __name__ == "__main__":
    sys.exit(main())
