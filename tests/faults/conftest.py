"""The landing folders of the tests of jobs are those of these tests too."""

from tests.jobs.conftest import electricity, gas

__all__ = ["electricity", "gas"]
