"""What every test run needs, notebooks included: kernels inherit these settings."""

import os

import pytest
from by_value import ByValue
from nbval.plugin import IPyNbCell

os.environ["COURSE_PROGRESS"] = "off"  # the learner's own list of solved exercises stays as it is
os.environ["COURSE_TRAINING"] = "last line"  # a training prints how it ended, not how it went
os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers share the processor's cores

QUICK = ("00", "03", "09")  # the notebooks that the fast lane runs, in the learner's copy
LONG = {"facts", "tools", "notebooks", "solutions"}  # the folders of files that take long

sanitize = IPyNbCell.sanitize


def sanitized(cell, output):
    """Return a cell's output as nbval would, to be compared by value."""
    cleaned = sanitize(cell, output)
    return ByValue(cleaned) if isinstance(cleaned, str) else cleaned


IPyNbCell.sanitize = sanitized


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep browsers and most notebooks out of the fast lane, and begin with what takes long."""
    for item in items:
        quick = item.path.parent.name == "notebooks" and item.path.stem.startswith(QUICK)
        notebook = item.path.suffix == ".ipynb"
        if (notebook and not quick) or "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
    items.sort(key=lambda item: item.path.parent.name not in LONG)
