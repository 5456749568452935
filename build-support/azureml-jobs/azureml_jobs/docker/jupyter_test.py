from __future__ import annotations

import json

from azureml_jobs.docker.jupyter import settings


def test_the_kernel_starts_from_a_folder_of_any_name() -> None:
    folder = '/a "b" \\c é'
    kernel = json.loads(settings(folder, "/jupyter")["kernel.json"])
    assert kernel["argv"][2] == f"{folder}/kernel.py"
