"""Set up the course and run it. Needs Python 3.10 to 3.14 and nothing else.

Older Pythons, 2.7 included, must be able to read this file as far as the sentence that
asks for a newer one: hence no annotations and no f-strings.
"""

from __future__ import print_function

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "The course needs Python 3.10 or newer, and this is Python {}.{}. "
        "Install a newer one and run course.py with it.".format(*sys.version_info[:2])
    )

import errno
import os
import subprocess

from tools import install

FIRST_PAGE = "notebooks/index.ipynb"  # what JupyterLab opens
LAB = ["jupyterlab", "--log-level=ERROR", "--LabApp.log_level=ERROR", "--LabApp.news_url=None"]
LAB += ["--LabApp.app_settings_dir=tools/lab"]  # where its question about news is answered
LAB += ["--ServerApp.root_dir=.", "--ServerApp.answer_yes=True"]
LAB += ["--LabApp.default_url=/lab/tree/" + FIRST_PAGE]
BENCH = ["pytest", "--override-ini=python_files=bench_*.py", "--benchmark-only"]
BENCH += ["--numprocesses=0", "tests/benchmarks"]
COMMANDS = {  # the extra of pyproject.toml that it needs, the module that it runs, what it does
    "lab": ("", LAB, "open JupyterLab (the default); further words go to JupyterLab"),
    "test": ("test", ["pytest"], "run every test; further words go to pytest"),
    "bench": ("test", BENCH, "time the hand-written networks against PyTorch's"),
    "build": ("grading", ["tools.build"], "run the notebooks, named by number, and store outputs"),
    "record": ("", ["tools.record_runs"], "make the scoreboard's record: two to three hours"),
    "site": ("site", ["tools.site"], "make web pages of the notebooks in build/site"),
    "slides": ("site", ["tools.slides"], "make slides of the notebooks in build/slides"),
    "grading": ("grading", ["tools.grading"], "make a folder for nbgrader; its path follows"),
    "handout": ("", ["tools.handout"], "make the folder for learners; its path follows"),
    "pictures": ("", ["tools.pictures"], "make the README's pictures anew, or those named"),
    "wheels": ("", ["tools.wheels"], "fetch all packages for a room without network"),
}
WHOLE = ("test", "bench", "build", "grading", "handout")  # what needs solutions or tests
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
USAGE = """\
usage: python course.py [--repair] [command] [words ...]

{}

Each first makes .venv and installs there what it needs, unless that is done; with --repair it
installs everything anew. Paths among further words start from the folder of course.py.\
""".format("\n".join("  {:9}{}".format(name, told) for name, (_, _, told) in COMMANDS.items()))


def run(command, words):
    """Run a command with further words in the course's folder; returns its exit status."""
    _, module, _ = COMMANDS[command]
    variables = dict(os.environ, **ONE_THREAD if command in ("bench", "record") else {})
    if command == "lab":
        print("JupyterLab opens in your browser. If it does not, click the address below.")
        print("To end it, press Ctrl and C here.", flush=True)
    with install.in_use():
        whole = [install.venv_python(), "-m"] + module + words
        process = subprocess.Popen(whole, cwd=install.ROOT, env=variables, close_fds=False)
        while True:
            try:
                status = process.wait()
                return status if status >= 0 else 128 - status
            except KeyboardInterrupt:
                pass  # the command got it too, and decides


def main(words):
    """Do what the words of the command line ask for; returns the exit status."""
    repair = words[:1] == ["--repair"]
    command = (words[repair:] or ["lab"])[0]
    if command not in COMMANDS:
        print(USAGE)
        return 0 if command in ("-h", "--help") else told("there is no command " + command, 2)
    if command in WHOLE and not (install.ROOT / "notebooks" / "solutions").is_dir():
        return told("this copy has no solutions and tests, which {} needs.".format(command))
    try:
        install.set_up(COMMANDS[command][0], repair)
    except KeyboardInterrupt:
        return told("interrupted; the next call sees to it by itself.", 130)
    except (install.Stop, OSError) as error:
        denied = getattr(error, "errno", None) in (errno.EACCES, errno.EPERM, errno.EROFS)
        sentence = "{0.filename} cannot be written. Move the course to a folder of your own."
        return told(sentence.format(error) if denied else error)
    return run(command, words[repair + 1 :])


def told(sentence, status=1):
    """Say on standard error what keeps the course from going on; returns the exit status."""
    print("course.py: {}".format(sentence), file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
