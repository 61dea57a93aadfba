"""nbgrader's settings for this course; helpers.grading puts a copy into the course folder."""

import os

os.environ["COURSE_PROGRESS"] = "off"  # what learners solved is no part of the grader's own list

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "vanishing-gradients"
c.ExecutePreprocessor.timeout = 120  # seconds for a cell, as in the course's own tests
