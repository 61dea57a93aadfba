"""Set up the course and run it. Needs Python 3.10 or newer and nothing else.

Older Pythons, 2.7 included, must be able to read this file as far as the sentence that
asks for a newer one: hence no annotations, no f-strings and no [*words].
"""

from __future__ import print_function

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "The course needs Python 3.10 or newer, and this is Python {}.{}. "
        "Install a newer one and run course.py with it.".format(*sys.version_info[:2])
    )

import argparse
import collections
import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import pathlib
import platform
import shutil
import subprocess
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "course.json"  # {} while installing; what is installed once all of it is
OLD = ROOT / ".venv.old"  # on its way out; renamed first, so that no half of it is ever used
LOCK = ROOT / ".venv.lock"
NEEDED_GB = 3
# What JupyterLab would show each new reader: a question about its news, and a grader's menus.
UNASKED = ["@jupyterlab/apputils-extension:announcements", "@jupyter/nbgrader"]
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # Linux builds without the GBs for GPUs
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
HELP = """\
commands:
  lab     open JupyterLab on notebooks/ (the default); further words go to JupyterLab
  test    run every test, the notebooks included; further words go to pytest
  bench   time the hand-written engine against PyTorch; further words go to pytest
  build   run the notebooks and store their outputs; further words are their names
  reach   complete the record behind notebook 05's scoreboard: 100 minutes, safe to interrupt
  site    make web pages of the notebooks, to read offline, in build/site
  slides  make slides of the notebooks, to show offline, in build/slides

Each first makes .venv and installs what the course needs into it, unless that is done.
Paths among the words start from the folder of course.py.
"""


class Stop(Exception):
    """What keeps the course from going on, as a sentence for the reader."""


def venv_python():
    """Path of the Python in .venv."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def wanted():
    """What the stamp of a finished .venv says: its Python, its folder, its requirements."""
    files = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return {
        "python": "{}.{}".format(*sys.version_info[:2]),
        "folder": str(ROOT),
        "requirements": hashlib.sha256(files).hexdigest(),
    }


def write_stamp(content):
    """Put content (a dict) into the stamp, whole or not at all."""
    temporary = STAMP.with_suffix(".tmp")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, STAMP)


def python_works():
    """Whether the Python in .venv starts (not so if the one it was made from has gone)."""
    try:
        return subprocess.call([venv_python(), "-c", ""], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def venv_state():
    """One of "absent", "foreign" (not made here), "broken", "outdated" and "ready"."""
    if not VENV.is_dir() or not any(VENV.iterdir()):
        return "absent"
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "foreign"
    except ValueError:
        return "broken"
    want = wanted()
    if any(stamp.get(key) != want[key] for key in ("python", "folder")) or not python_works():
        return "broken"
    return "ready" if stamp == want else "outdated"


def check_machine():
    """Raise Stop if the course cannot be installed with this Python or on this machine."""
    if not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        raise Stop(
            "This Python has no venv module. On Debian and Ubuntu install it with: "
            "sudo apt install python{}.{}-venv".format(*sys.version_info[:2])
        )
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise Stop(
            "PyTorch is no longer released for Macs with an Intel processor. Use conda: "
            "conda env create -f environment.yml. (On a Mac with an Apple processor: "
            "this Python is an Intel one; install one for arm64.)"
        )
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_GB:
        raise Stop(disk_full("{:.1f} GB are free".format(free)))


def disk_full(reason):
    """The sentence for a disk without room."""
    sentence = "The disk has no room ({}): the course needs {} GB in {}."
    return sentence.format(reason, NEEDED_GB, ROOT)


@contextlib.contextmanager
def one_at_a_time():
    """Hold the lock on .venv, waiting for another course.py to finish; gives the lock file.

    The system drops the lock when its last holder ends, however that ends.
    """
    with LOCK.open("a") as lock:
        told = False
        while True:
            try:
                if os.name == "nt":
                    import msvcrt

                    msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    import fcntl

                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except (BlockingIOError, PermissionError):
                if not told:
                    print("Another course.py is installing; waiting for it.", flush=True)
                told = True
                time.sleep(1)
        yield lock


def run_setup(words, lock):
    """Run one step of the installation, passing its lines on as they come; raises Stop.

    The step holds the lock too, so that one left behind by a killed course.py is waited for.
    """
    settings = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    settings["env"] = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0")
    if os.name != "nt":
        settings["pass_fds"] = [lock.fileno()]
    last = collections.deque(maxlen=20)
    with subprocess.Popen(words, **settings) as process:
        for line in process.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
            last.append(line)
    if process.returncode == 0:
        return
    if any(os.strerror(errno.ENOSPC).encode() in line for line in last):
        raise Stop(disk_full("here or in the folder for temporary files"))
    sentence = (
        "Installing stopped with status {}; the lines above say why. Often it is the network: "
        "run the same command again. If no release fits this Python, use Python 3.10 to 3.13."
    )
    raise Stop(sentence.format(process.returncode))


def cpu_index_answers(seconds=4):
    """Whether PyTorch's index of CPU builds answers in time, a slow name look-up included."""
    answers = []

    def ask():
        request = urllib.request.Request(CPU_INDEX + "/torch/", method="HEAD")
        with contextlib.suppress(Exception), urllib.request.urlopen(request, timeout=seconds):
            answers.append(True)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answers)


def install(lock):
    """Make .venv unless it stands, and install the course and all it needs."""
    # The Python that .venv is made from: course.py may itself be running in .venv.
    base = getattr(sys, "_base_executable", None) or sys.executable
    VENV.mkdir(exist_ok=True)
    write_stamp({})
    if not python_works():
        run_setup([base, "-m", "venv", VENV], lock)
    pip = [venv_python(), "-m", "pip", "install", "--progress-bar=off"]
    pip += ["--constraint", "constraints.txt"]
    if sys.platform == "linux" and cpu_index_answers():
        # If that index fails half-way, the next line gets torch where it gets the rest.
        with contextlib.suppress(Stop):
            run_setup(pip + ["--no-deps", "--index-url", CPU_INDEX, "torch"], lock)
    run_setup(pip + ["--editable", ".[test]"], lock)
    quiet = ["-m", "jupyter", "labextension", "disable", "--level=sys_prefix"]
    run_setup([venv_python()] + quiet + UNASKED, lock)
    write_stamp(wanted())


def set_up():
    """Bring .venv to the state that the course's files ask for; at once if it is in it."""
    if venv_state() == "ready":
        return
    with one_at_a_time() as lock:
        state = venv_state()
        if state == "ready":
            return
        if state == "foreign":
            raise Stop(
                "{} was not made by course.py. Move it away, and run this again.".format(VENV)
            )
        shutil.rmtree(OLD, ignore_errors=True)
        if state == "broken":
            print("Removing the unfinished or unusable .venv.", flush=True)
            VENV.rename(OLD)
            shutil.rmtree(OLD, ignore_errors=True)
        check_machine()
        print("Installing into {} (minutes, once).".format(VENV), flush=True)
        install(lock)


def run(words, **settings):
    """Run a command in the course's folder with these environment variables; its exit status."""
    process = subprocess.Popen(words, cwd=ROOT, env=dict(os.environ, **settings))
    while True:
        try:
            status = process.wait()
            return status if status >= 0 else 128 - status
        except KeyboardInterrupt:
            pass  # the command got it too, and decides


def lab(words):
    """Open JupyterLab on notebooks/."""
    options = ["--ServerApp.root_dir=" + str(ROOT), "--LabApp.default_url=/lab/tree/notebooks"]
    return run([venv_python(), "-m", "jupyterlab"] + options + words)


def test(words):
    """Run the tests."""
    return run([venv_python(), "-m", "pytest"] + words)


def bench(words):
    """Run the benchmarks on one thread."""
    options = ["--override-ini=python_files=bench_*.py", "--benchmark-only"]
    options += ["--numprocesses=0", "tests/benchmarks"]
    return run([venv_python(), "-m", "pytest"] + options + words, **ONE_THREAD)


def build(words):
    """Run and store the notebooks."""
    return run([venv_python(), "-m", "tools.build"] + words)


def reach(words):
    """Complete the recorded run."""
    return run([venv_python(), "-m", "tools.record_runs"] + words, **ONE_THREAD)


def site(words):
    """Make the reading edition."""
    return run([venv_python(), "-m", "tools.site"] + words)


def slides(words):
    """Make the slides."""
    return run([venv_python(), "-m", "tools.slides"] + words)


COMMANDS = {
    "lab": lab,
    "test": test,
    "bench": bench,
    "build": build,
    "reach": reach,
    "site": site,
    "slides": slides,
}


def main(words):
    """Do what the words of the command line ask for; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="course.py",
        usage="python course.py [command] [words ...]",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command", nargs="?", choices=COMMANDS, default="lab", help=argparse.SUPPRESS
    )
    command = COMMANDS[parser.parse_args(words[:1]).command]
    try:
        set_up()
    except KeyboardInterrupt:
        print("course.py: Interrupted; the next call sees to it by itself.", file=sys.stderr)
        return 130
    except (Stop, OSError) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC
        print("course.py:", disk_full(error.strerror) if full else error, file=sys.stderr)
        return 1
    return command(words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
