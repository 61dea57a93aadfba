"""What every test run needs, notebooks included: kernels inherit these settings."""

import os

os.environ["TQDM_DISABLE"] = "1"  # no progress bars, so that outputs are the same everywhere
os.environ["COURSE_PROGRESS"] = "off"  # the learner's own list of solved exercises stays as it is
