"""Run tests in the image of an experiment, and keep the output of those that passed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from azureml_jobs.base.digest import content_digest
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.docker.engine import Image
from azureml_jobs.local.interruptions import Interruptions
from azureml_jobs.local.output import Log, open_standard_descriptors
from azureml_jobs.local.process import signal_group
from azureml_jobs.local.script import Script
from azureml_jobs.local.supervise import GRACE_SECONDS, Supervision


def result_file(
    root: Path, image: Image, code: Path, files: Sequence[str], command: Sequence[str]
) -> Path:
    """Return the file that keeps the output of these tests once they have passed.

    Its name depends on the image's content, the files (paths below `code`) and the command line.
    """
    sources = content_digest((name, (code / name).read_bytes(), False) for name in files)
    key = json.dumps([image.id, sources, list(command)])
    return root / "tests" / f"{hashlib.sha256(key.encode()).hexdigest()}.txt"


def execute_tests(folder: Path, grace: float = GRACE_SECONDS) -> int:
    """Run the tests in `folder` and return pytest's status; then remove the folder."""
    open_standard_descriptors()
    folder = folder.absolute()
    script = Script.read(folder)
    spec = script.process_spec(folder)
    result = Path(script.result)
    log = Log(folder / "log.txt")
    try:
        with Interruptions() as interruptions:
            process, copies = spec.start_logged(log)
            ended = Supervision(
                [process],
                interruptions,
                send_signal=lambda signum: signal_group(process.pid, signum),
                kill=lambda: spec.kill(process.pid),
                copies=copies,
                grace=grace,
            ).wait()
        status = script.status(ended)
        if status == 0 and not log.error:
            result.parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder / "log.txt", result)
    except OSError as error:
        raise OutsideError(str(result), f"it could not be written: {error.strerror}") from error
    finally:
        log.close()
        shutil.rmtree(folder, ignore_errors=True)
    print("The tests passed." if status == 0 else "The tests did not pass.", file=sys.stderr)
    return status
