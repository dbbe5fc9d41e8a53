"""Arrow as commands load it. In processes of their own: it looks for pandas once."""

import os
import subprocess
import sys

from pipeline.runtime import arrow

LOAD = "import sys; from pipeline.runtime import arrow; arrow.load(); import pyarrow as pa, pyarrow.dataset"


def told(code, pool=None):
    environment = {name: value for name, value in os.environ.items() if name != arrow.POOL}
    environment |= {arrow.POOL: pool} if pool else {}
    command = [sys.executable, "-c", f"{LOAD}; {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.split()


def test_arrays_and_data_files_need_no_pandas():
    assert told("pa.table({'a': [1, None]}).filter([True, False]); print('pandas' in sys.modules)") == ["False"]


def test_pandas_is_there_for_what_asks_for_it_by_its_name():
    assert told("print(pa.table({'a': [1, 2]}).to_pandas()['a'].sum())") == ["3"]
    assert told("import pandas as pd; print(pa.table(pd.DataFrame({'a': [1, 2]}))['a'].to_pylist())") == ["[1,", "2]"]


def test_memory_comes_from_the_system_unless_the_environment_names_a_pool():
    said = "print(pa.default_memory_pool().backend_name)"
    assert told(said) == ["system"]
    assert told(said, "mimalloc") == ["mimalloc"]


def test_what_was_imported_before_stays_as_it_was():
    code = "import pyarrow, sys; from pipeline.runtime import arrow; arrow.load(); print(*sys.meta_path)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "arrow" not in done.stdout
