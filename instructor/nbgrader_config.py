"""nbgrader's settings for this course; tools.grading puts a copy into the grading folder."""

import os
from pathlib import Path

import nbgrader

os.environ["COURSE_PROGRESS"] = "off"  # what learners solved is no part of the grader's own list

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "vanishing-gradients"
c.ExecutePreprocessor.timeout = 120  # seconds for a cell, as in the course's own tests
c.HTMLExporter.extra_template_basedirs = [  # feedback that takes MathJax from no network
    str(Path(__file__).parent / "templates"),
    str(Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"),
]
