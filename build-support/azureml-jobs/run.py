"""Start the job tool from its sources: `python build-support/azureml-jobs/run.py COMMAND …`."""

from __future__ import annotations

import sys

from azureml_jobs.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
