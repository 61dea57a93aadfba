from __future__ import annotations

import sys
from importlib import metadata

import pytest

from helpers import environment

ALL_WELL = "everything this course needs is installed"


@pytest.fixture
def stub(monkeypatch):
    """Make the metadata say: the course requires these, and these versions are installed."""

    def install(required: list[str] | None, versions: dict[str, str | None]) -> None:
        def requires(name: str) -> list[str] | None:
            if name != "vanishing-gradients-course":
                raise metadata.PackageNotFoundError(name)
            return required

        def version(name: str) -> str | None:
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(environment.metadata, "requires", requires)
        monkeypatch.setattr(environment.metadata, "version", version)

    return install


def test_all_well(stub):
    stub(["numpy>=1.26,<3", "torch>=2.4"], {"numpy": "2.4.0", "torch": "2.13.0+cpu"})
    assert environment.problems() == []
    assert environment.report() == ALL_WELL


def test_no_requirements_is_no_problem(stub):
    stub(None, {})
    assert environment.report() == ALL_WELL


def test_missing_distribution_is_named_with_its_command(stub):
    stub(["numpy>=1.26,<3"], {})
    (problem,) = environment.problems()
    assert problem.startswith("numpy is not installed; run: python -m pip install ")
    assert problem.endswith(('"numpy<3,>=1.26"', '"numpy>=1.26,<3"'))


@pytest.mark.parametrize("version", ["1.25.9", "3.0", "3.0.1"])
def test_version_out_of_range_is_named(stub, version):
    stub(["numpy>=1.26,<3"], {"numpy": version})
    (problem,) = environment.problems()
    assert problem.startswith(f"numpy {version} is out of range; run: ")


def test_pre_release_in_range_is_accepted(stub):
    stub(["torch>=2.4"], {"torch": "2.14.0.dev20260101+cpu"})
    assert environment.problems() == []


def test_half_removed_distribution_counts_as_missing(stub):
    stub(["numpy"], {"numpy": None})
    assert environment.problems() == ['numpy is not installed; run: python -m pip install "numpy"']


def test_extras_and_other_platforms_are_left_out(stub):
    stub(['pytest>=8; extra == "test"', 'pywin32; python_version < "3"', "numpy"], {"numpy": "2"})
    assert environment.problems() == []


def test_every_problem_is_reported_on_a_line_of_its_own(stub):
    stub(["numpy", "torch", "tqdm"], {"torch": "2.13"})
    assert [line.split()[0] for line in environment.report().splitlines()] == ["numpy", "tqdm"]


def test_course_not_installed(monkeypatch):
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(environment.metadata, "requires", absent)
    (problem,) = environment.problems()
    assert "helpers are not installed" in problem
    assert problem.endswith("run: python -m pip install -e .")


def test_old_python_is_named_before_the_rest(stub, monkeypatch):
    stub(["numpy"], {})
    monkeypatch.setattr(environment.sys, "version_info", (3, 9, 18, "final", 0))
    first, second = environment.problems()
    assert first.startswith("This is Python 3.9 and the course needs 3.10 or newer; ")
    assert second.startswith("numpy is not installed")


def test_oldest_python_is_accepted(stub, monkeypatch):
    stub([], {})
    monkeypatch.setattr(environment.sys, "version_info", (3, 10, 0, "final", 0))
    assert environment.problems() == []


def test_without_packaging_the_check_still_speaks(stub, monkeypatch):
    stub(["numpy"], {"numpy": "2.4"})
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert environment.problems() == [
        "packaging is not installed; run: python -m pip install packaging"
    ]
