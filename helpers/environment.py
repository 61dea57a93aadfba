"""Whether this Python holds what the course needs."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

PACKAGES = ("ipywidgets", "jupyterlab", "matplotlib", "numpy", "torch")
ALL_WELL = "everything this course needs is installed"
REMEDY = "in the course's folder, run: python course.py --repair"


def report() -> str:
    """Say in one sentence that all is well, or what is missing and what to type.

    Looks for the files of the course's packages, and asks pip whether their versions fit.
    """
    missing = [name for name in PACKAGES if not getattr(find_spec(name), "origin", None)]
    if missing:
        return f"{', '.join(missing)}: not found; {REMEDY}"
    pip = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    return ALL_WELL if pip.returncode == 0 else f"{(pip.stdout or pip.stderr).strip()}\n{REMEDY}"
