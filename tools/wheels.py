"""Fetch every package of the course, for installing where no network is.

From the command line: python course.py wheels [--for windows] [--python 3.12]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

from tools import install

ROOT = install.ROOT
# What packages ask about a machine, and the platforms whose wheels it can install.
SYSTEMS: dict[str, tuple[dict[str, str], list[str]]] = {
    "linux": (
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
        ["linux_x86_64", "manylinux2014_x86_64"]
        + [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)],
    ),
    "macos": (
        {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
        ["macosx_14_0_arm64"],
    ),
    "windows": (
        {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
        ["win_amd64"],
    ),
}
FOR_GPUS = ("cuda", "nvidia", "triton")


def pins(system: str, python: str, gpu: bool = False) -> list[str]:
    """List what constraints.txt holds for a system and a Python ("3.12.0"), as "name==version".

    gpu: with the packages that PyTorch's Linux build for GPUs needs.
    """
    machine = {
        **SYSTEMS[system][0],
        "os_name": "nt" if system == "windows" else "posix",
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.lstrip().startswith("#")]
    return [
        f"{pin.name}{pin.specifier}"
        for pin in found
        if (gpu or not pin.name.startswith(FOR_GPUS))
        and (pin.marker is None or pin.marker.evaluate(machine))
    ]


def fetch(system: str, python: str, folder: Path) -> int:
    """Fill a folder with the wheels for a system and a Python ("3.12"); returns pip's status.

    A few packages have one version for a Python's first releases and one for its later: the
    folder gets both.
    """
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    pip += ["--progress-bar=off", "--quiet", "--dest", str(folder), "--python-version", python]
    pip += [word for tag in SYSTEMS[system][1] for word in ("--platform", tag)]
    gpu = system == "linux" and not install.cpu_index_answers()
    if gpu:
        print("PyTorch's CPU builds can't be reached; the build for GPUs takes 3 GB here.")
    late, early = (pins(system, f"{python}.{release}", gpu) for release in (99, 0))
    calls = [late, [pin for pin in early if pin not in late]]
    if system == "linux" and not gpu:
        (torch,) = (pin for pin in late if pin.startswith("torch=="))
        late.remove(torch)
        calls.insert(0, ["--index-url", install.CPU_INDEX, torch])
    return max(subprocess.call([*pip, *words]) for words in calls if words)


def main(arguments: list[str] | None = None) -> int:
    """Fetch the wheels that the words ask for; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python course.py wheels", description=__doc__)
    parser.add_argument("--for", dest="system", choices=SYSTEMS, default=install.SYSTEM)
    parser.add_argument("--python", choices=["3.10", "3.11", "3.12", "3.13", "3.14"])
    asked = parser.parse_args(arguments)
    python = asked.python or install.PYTHON
    folder = ROOT / "wheels" / f"{asked.system}-{python}"
    print(f"Fetching {len(pins(asked.system, f'{python}.99'))} packages into {folder}.")
    status = fetch(asked.system, python, folder)
    if status:
        print("Fetching stopped; what pip says is above.", file=sys.stderr)
        return status
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    print(
        f"Done: {size:.0f} MB. Carry the folder wheels into the course's folder on a computer\n"
        f"with {asked.system} and Python {python}: course.py installs from it by itself."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
