"""Make .venv and install the course there, for course.py: with the standard library alone.

A .venv that works is given up only when the next one works.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
OLD = ROOT / ".venv.old"  # the last one, until the next one works
GONE = ROOT / ".venv.gone"  # what is being removed
LOCK = ROOT / ".venv.lock"  # held by who installs
USE = ROOT / ".venv.use"  # held, by several at once, by what runs from .venv
LOG = ROOT / ".venv.log"  # pip's words
PACKAGES = "helpers, IPython, ipykernel, ipywidgets, jupyterlab, matplotlib, numpy, torch"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # Linux builds without the GBs for GPUs
SYSTEM = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
PYTHON = "{}.{}".format(*sys.version_info[:2])
WHEELS = ROOT / "wheels" / f"{SYSTEM}-{PYTHON}"  # taken instead of the network if it is there


class Stop(Exception):
    """What keeps the course from going on, as a sentence for the reader."""


def venv_python() -> Path:
    """Path of the Python in .venv."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp() -> dict[str, Any]:
    """Read what .venv says of itself: folder, requirements, extras; {} unless it is finished."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads((VENV / "course.json").read_text(encoding="utf-8"))
    return {}


def requirements() -> str:
    """Return a digest of what the course asks for; the settings of tools are not part of it."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\n[tool.")[0]
    text = project + (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def works(extra: str) -> bool:
    """Whether .venv is this folder's, has the extra, and its own Python finds the packages."""
    have = stamp()
    if have.get("folder") != str(ROOT) or not {extra, "test"} & {"", *have["extras"]}:
        return False
    code = "from importlib.util import find_spec as find\n"
    code += f"assert all(getattr(find(n), 'origin', None) for n in {PACKAGES.split(', ')})"
    with contextlib.suppress(OSError):
        words = [str(venv_python()), "-c", code]
        return subprocess.call(words, cwd=VENV, stderr=subprocess.DEVNULL) == 0
    return False


def ready(extra: str) -> bool:
    """Whether nothing is left to install for a command that needs this extra."""
    return stamp().get("requirements") == requirements() and works(extra)


def check_machine(gigabytes: float) -> None:
    """Raise Stop if the course cannot be installed with this Python or on this machine."""
    machine, (libc, glibc) = platform.machine().lower(), platform.libc_ver()
    mac, free = platform.mac_ver()[0], shutil.disk_usage(ROOT).free / 1e9
    if sys.version_info >= (3, 15):
        raise Stop(f"Packages are not released for Python {PYTHON} yet: use Python 3.10 to 3.14.")
    if sys.maxsize < 2**32:
        raise Stop("PyTorch needs a 64-bit Python, and this one has 32 bits.")
    if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        add = f"sudo apt install python{PYTHON}-venv"
        raise Stop(f"This Python has no venv module. On Debian and Ubuntu add it with: {add}")
    if SYSTEM == "macos" and machine == "x86_64":
        conda = "Use conda: conda env create -f environment.yml"
        raise Stop(f"PyTorch is no longer released for Pythons made for Intel Macs. {conda}")
    if SYSTEM == "macos" and int(mac.split(".")[0]) < 14:
        raise Stop(f"PyTorch needs macOS 14 or newer, and this is macOS {mac}.")
    if SYSTEM == "windows" and machine == "arm64":
        raise Stop("PyTorch is not released for Windows on ARM processors.")
    if libc == "glibc" and [int(part) for part in glibc.split(".")] < [2, 28]:
        raise Stop(f"PyTorch needs glibc 2.28 (Debian 10, Ubuntu 20.04), and this is {glibc}.")
    if free < gigabytes:
        raise Stop(f"The disk has no room: {free:.1f} GB are free, {gigabytes} GB needed here.")


def locked(file: IO, alone: bool = True) -> bool:
    """Try to lock an open file, alone or with others; whether it is locked now.

    Processes started with close_fds=False hold the lock too, should course.py be killed; the
    system drops it when the last of them ends, however that ends.
    """
    os.set_inheritable(file.fileno(), True)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def in_use() -> contextlib.AbstractContextManager:
    """Mark .venv as in use until the context ends."""
    try:
        file = USE.open("a")
    except OSError:  # a folder that cannot be written to: nobody can install there either
        return contextlib.nullcontext()
    locked(file, alone=False)
    return file


def take(step: str, words: list) -> None:
    """Take one step of the installation, its words going to LOG; raises Stop."""
    print(step, end=" ", flush=True)
    variables = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0")
    with LOG.open("wb+") as log:
        output: dict[str, Any] = {"stdout": log, "stderr": log, "close_fds": False}
        process = subprocess.Popen(words, cwd=ROOT, env=variables, **output)
        try:
            while process.poll() is None:
                print(".", end="", flush=True)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
        finally:
            process.wait()  # interrupted, it got that too, and ends soon
            print(flush=True)
    if process.returncode == 0:
        return
    said = LOG.read_text(encoding="utf-8", errors="replace")
    network = "The network fails. Run the same command again when it is back."
    told = {
        os.strerror(
            errno.ENOSPC
        ): "The disk has no room, here or in the folder for temporary files.",
        "Long Path": f"{ROOT} is too long a path for Windows, which has room for 67 characters: "
        "move the folder, for example to C:\\course.",
        **dict.fromkeys(("ConnectionError", "ResolutionError", "TimeoutError"), network),
    }
    last = "\n".join(said.splitlines()[-20:])
    failed = f"The step failed. These were its last words; {LOG} has all:\n{last}"
    raise Stop(next((sentence for words, sentence in told.items() if words in said), failed))


def cpu_index_answers(seconds: float = 4) -> bool:
    """Whether PyTorch's index of CPU builds can be reached."""
    try:
        with urllib.request.urlopen(CPU_INDEX + "/torch/", timeout=seconds):
            return True
    except OSError:
        return False


def fill(extras: list[str]) -> None:
    """Make .venv unless it stands, and install the course there with these extras."""
    new, cpu = not VENV.exists(), True
    pip = [venv_python(), "-m", "pip", "install", "--progress-bar=off", "-c", "constraints.txt"]
    steps: list[tuple[str, list]] = []
    if WHEELS.is_dir():
        pip += ["--no-index", "--find-links", WHEELS]
    elif SYSTEM == "linux" and new:
        cpu = cpu_index_answers()
        steps += [("fetch PyTorch", [*pip, "--no-deps", "--index-url", CPU_INDEX, "torch"])] * cpu
    course = f".[{','.join(extras)}]" if extras else "."
    steps.append((f"install {' and '.join(['the course', *extras])}", [*pip, "-e", course]))
    steps.append(("try it", [venv_python(), "-c", f"import {PACKAGES}"]))
    if not cpu:
        print("PyTorch's CPU builds can't be reached; the build for GPUs is taken.")
    check_machine(2 if cpu else 8)
    cost = ""
    if new:
        cost = f", about {'0.3' if cpu else '3'} GB to fetch, {'1.3' if cpu else '5.4'} GB of disk"
        VENV.mkdir()
        (VENV / "course.json").write_text("{}", encoding="utf-8")
        # What .venv is made from: course.py may itself be running in .venv.
        base = getattr(sys, "_base_executable", None) or sys.executable
        steps.insert(0, (f"make .venv with Python {PYTHON}", [base, "-m", "venv", VENV]))
    print(f"Installing into {VENV}{cost}. This happens once and takes some minutes.")
    for number, (what, words) in enumerate(steps, 1):
        take(f"Step {number} of {len(steps)}: {what}", words)
    finished = {"folder": str(ROOT), "requirements": requirements(), "extras": extras}
    (VENV / "course.json").write_text(json.dumps(finished), encoding="utf-8")
    print("Done.", flush=True)


def settle() -> None:
    """Leave one .venv: the finished one, else the last one, else none.

    It is first moved from its path: a removal that is cut short leaves no half of one there.
    """
    if not stamp():
        shutil.rmtree(GONE, ignore_errors=True)
        if VENV.exists():
            VENV.rename(GONE)
        shutil.rmtree(GONE, ignore_errors=True)
        if OLD.exists():
            OLD.rename(VENV)
    shutil.rmtree(OLD, ignore_errors=True)


def renew(extras: list[str]) -> None:
    """Make .venv anew; the last one comes back if that fails, and goes if it does not."""
    with USE.open("a") as use:
        if locked(use) and VENV.exists():
            with contextlib.suppress(PermissionError):  # Windows does not move what runs
                VENV.rename(OLD)
        if VENV.exists():
            raise Stop("JupyterLab or another command runs from .venv: end it, then try again.")
        try:
            fill(extras)
        finally:
            settle()


def set_up(extra: str, repair: bool = False) -> None:
    """Bring .venv to the state that a command with this extra needs; at once if it is in it.

    repair makes it anew in any case. Raises Stop, unless a .venv that will do stands already.
    """
    if ready(extra) and not repair:
        return
    with LOCK.open("a") as lock:
        if not locked(lock):
            print("Another course.py is installing; waiting for it.", flush=True)
            while not locked(lock):
                time.sleep(1)
        if VENV.is_dir() and any(VENV.iterdir()) and not (VENV / "course.json").exists():
            raise Stop(f"{VENV} was not made by course.py. Move it away, and run this again.")
        settle()  # an earlier call may have been cut short
        if ready(extra) and not repair:
            return
        extras = sorted({extra, *stamp().get("extras", [])} - {""})
        try:
            (fill if ready("") and not repair else renew)(extras)
        except Stop as stop:
            if repair or not works(extra):
                raise
            print(f"{stop}\nGoing on with the .venv that stands.", flush=True)
