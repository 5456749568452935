"""A job's end says what it used, and where its outputs are."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

import pytest
from azureml_jobs.local.usage import usage_text

BUSY = """
import time
block = bytearray({size})
while time.process_time() < 0.5: pass
open("outputs/model.bin", "w").close()
"""
NVIDIA_SMI = """#!/bin/sh
echo '0, 80, 1000'; echo '1, [N/A], 5'; echo '0, 60, 3000'; exec sleep 60
"""


@pytest.fixture
def has_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = tmp_path / "bin/nvidia-smi"
    driver.parent.mkdir()
    driver.write_text(NVIDIA_SMI)
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(driver.parent), prepend=":")


def test_prints_what_a_job_used_and_where_its_outputs_are(jobs: Any, has_gpu: None) -> None:
    # More than the test's process, or an earlier child of it, has ever had.
    users = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    size = 100_000_000 + 1024 * max(resource.getrusage(user).ru_maxrss for user in users)
    busy = BUSY.format(size=size)
    folder = jobs.new(f"{sys.executable} -c '{busy}'", outputs={"a": "/there"})
    status, out, _ = jobs.run(folder)
    used, outputs, completed = out.decode().splitlines()
    record = folder.read()
    assert status == 0
    assert 0.5 <= record.usage["cpu_seconds"] < 30
    assert size < record.usage["largest_process_bytes"] < size + 100_000_000
    (gpu,) = record.usage["gpus"]
    assert gpu == {"index": 0, "busy_percent": 70, "memory_bytes": 3000 * 2**20}
    assert used == f"Used: {usage_text(record.usage)}"
    assert "GPU 0 70 % busy with 3.1 GB" in used
    assert outputs == f"Outputs: /there, .azureml/jobs/{folder.name}/work/outputs"
    # What comes before and after the command is not the job's time.
    assert f" Completed in {record.timings['running']:.1f} s." in completed


def test_says_no_memory_for_what_is_smaller_than_its_own_process(jobs: Any) -> None:
    folder = jobs.new("true")
    jobs.run(folder)
    assert "largest_process_bytes" not in folder.read().usage
