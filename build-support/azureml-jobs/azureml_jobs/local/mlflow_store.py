"""MLflow's store of files, written and read without MLflow: experiments, runs and their metrics."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from azureml_jobs.base.atomic_file import write_file
from azureml_jobs.base.job_status import CANCELED, COMPLETED, FAILED

# mlflow/entities/run_status.py and source_type.py
_RUNNING, _FINISHED, _FAILED, _KILLED = 1, 3, 4, 5
_STATUS = {COMPLETED: _FINISHED, FAILED: _FAILED, CANCELED: _KILLED}
_STATUS_NAMES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_SOURCE_LOCAL = 4
_META = "meta.yaml"
_TRASH = ".trash"
_RUN_FOLDERS = ("metrics", "params", "tags", "artifacts")

Point = tuple[int, int, float]


@dataclass
class RunData:
    """What code logged. A point of the history is (step, milliseconds since 1970, value)."""

    status: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[Point]] = field(default_factory=dict)
    artifacts: list[str] = field(default_factory=list)


class MlflowStore:
    """The folder that `MLFLOW_TRACKING_URI` names, in the layout that MLflow 2 and 3 share.

    Layout: `mlflow/store/tracking/file_store.py`. `<experiment id>/meta.yaml` and
    `<experiment id>/<run id>/` with `meta.yaml`, `params/`, `tags/`, `metrics/` (one file per key)
    and `artifacts/`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def ensure_experiment(self, name: str) -> str:
        """The id of the experiment `name`, which is made, or taken out of the bin, if need be.

        The id follows from the name, so that two who make it at once make the same.
        """
        derived = _experiment_id(name)
        self._make_experiment("0", "Default")
        for experiment_id in (derived, *self._experiment_ids()):
            meta = _read_meta(self.root / experiment_id)
            if meta.get("name") == name:
                return experiment_id
        for deleted in self._trash():
            meta = _read_meta(deleted)
            if meta.get("name") == name:
                _write_meta(deleted, {**meta, "lifecycle_stage": "active"})
                os.replace(deleted, self.root / deleted.name)
                return deleted.name
        self._make_experiment(derived, name)
        return derived

    def create_run(
        self, experiment_id: str, run_id: str, run_name: str, tags: Mapping[str, str], start: str
    ) -> Path:
        """Make a run that `MLFLOW_RUN_ID=run_id` resumes. `start` is ISO 8601."""
        final = self.root / experiment_id / run_id
        user = _user()
        all_tags = {
            "mlflow.user": user,
            "mlflow.source.type": "LOCAL",
            **tags,
            "mlflow.runName": run_name,
        }
        meta: dict[str, Any] = {
            "artifact_uri": (final / "artifacts").absolute().as_uri(),
            "end_time": None,
            "entry_point_name": "",
            "experiment_id": experiment_id,
            "lifecycle_stage": "active",
            "run_id": run_id,
            "run_name": run_name,
            # MLflow below 2.0 reads the id under this name.
            "run_uuid": run_id,
            "source_name": "",
            "source_type": _SOURCE_LOCAL,
            "source_version": "",
            "start_time": _milliseconds(start),
            "status": _RUNNING,
            "tags": [],
            "user_id": user,
        }
        with self._new_folder(final) as beside:
            for name in _RUN_FOLDERS:
                (beside / name).mkdir()
            for key, value in all_tags.items():
                if _is_key(key):
                    path = beside / "tags" / key
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(str(value), encoding="utf-8")
            _write_meta(beside, meta)
        return final

    def finish_run(self, run_id: str, status: str, end: str) -> None:
        """Give a run the status of its job.

        An end that the code recorded by itself is kept, except for a success of a job that
        failed: MLflow records one whenever an interpreter ends, with `sys.exit(1)` too.
        """
        run = self._run(run_id)
        if run is None:
            return
        meta = _read_meta(run)
        final = _STATUS[status]
        if not meta or meta.get("status") in (_FAILED, _KILLED):
            return
        if meta.get("status") == _FINISHED and final == _FINISHED:
            return
        meta.update(status=final, end_time=meta.get("end_time") or _milliseconds(end))
        _write_meta(run, meta)

    def read_run(self, run_id: str) -> RunData | None:
        """What was logged to a run, also while it goes on; None when there is no such run."""
        run = self._run(run_id)
        if run is None:
            return None
        code = _read_meta(run).get("status")
        data = RunData(_STATUS_NAMES.get(code, "RUNNING") if isinstance(code, int) else "RUNNING")
        data.params = dict(_texts(run / "params"))
        data.tags = dict(_texts(run / "tags"))
        for key, text in _texts(run / "metrics"):
            points = [point for point in map(_point, text.splitlines()) if point]
            if points:
                data.history[key] = points
                # As MLflow decides which value is the last one.
                data.metrics[key] = max(points, key=_order)[2]
        data.artifacts = [key for key, _ in _files(run / "artifacts")]
        return data

    def artifacts_folder(self, run_id: str) -> Path | None:
        """Where the artifacts of a run are; None when there is no such run."""
        run = self._run(run_id)
        return None if run is None else run / "artifacts"

    def _run(self, run_id: str) -> Path | None:
        for experiment_id in self._experiment_ids():
            run = self.root / experiment_id / run_id
            if (run / _META).is_file():
                return run
        return None

    def _experiment_ids(self) -> list[str]:
        try:
            return sorted(name for name in os.listdir(self.root) if not name.startswith("."))
        except OSError:
            return []

    def _trash(self) -> list[Path]:
        try:
            return sorted((self.root / _TRASH).iterdir())
        except OSError:
            return []

    def _make_experiment(self, experiment_id: str, name: str) -> None:
        final = self.root / experiment_id
        if (final / _META).is_file() or (self.root / _TRASH / experiment_id).exists():
            return
        moment = int(datetime.now().timestamp() * 1000)
        with self._new_folder(final) as beside:
            _write_meta(
                beside,
                {
                    "artifact_location": final.absolute().as_uri(),
                    "creation_time": moment,
                    "experiment_id": experiment_id,
                    "last_update_time": moment,
                    "lifecycle_stage": "active",
                    "name": name,
                },
            )

    @contextlib.contextmanager
    def _new_folder(self, final: Path) -> Iterator[Path]:
        """A folder to fill that becomes `final`; when somebody was faster, theirs stays."""
        final.parent.mkdir(parents=True, exist_ok=True)
        # Not inside of the store, where MLflow would take it for an experiment or a run.
        beside = Path(tempfile.mkdtemp(prefix=".new-mlflow-", dir=self.root.parent))
        try:
            yield beside
            beside.chmod(0o755)
            try:
                os.rename(beside, final)
            except OSError:
                if not (final / _META).is_file():
                    raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _experiment_id(name: str) -> str:
    """18 digits, as MLflow's own ids have."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return str(10**17 + int.from_bytes(digest[:8], "big") % (9 * 10**17))


def _read_meta(folder: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load((folder / _META).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_meta(folder: Path, meta: Mapping[str, Any]) -> None:
    import yaml

    text = yaml.safe_dump(dict(meta), allow_unicode=True, default_flow_style=False)
    write_file(folder / _META, text)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files below `folder` with their path relative to it, which is a key in MLflow."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            yield path.relative_to(folder).as_posix(), path


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for key, path in _files(folder):
        with contextlib.suppress(OSError):
            yield key, path.read_text(encoding="utf-8", errors="replace")


def _point(line: str) -> Point | None:
    """A line is `<time> <value> <step> [<data set> <digest>]`; one half written gives None."""
    parts = line.split()
    try:
        return int(parts[2]) if len(parts) > 2 else 0, int(parts[0]), float(parts[1])
    except (IndexError, ValueError):
        return None


def _order(point: Point) -> tuple[int, int, float]:
    return point[0], point[1], -math.inf if math.isnan(point[2]) else point[2]


def _is_key(key: str) -> bool:
    """MLflow's rule for a key that becomes the name of a file (`utils/validation.py`)."""
    return (
        bool(re.fullmatch(r"[/\w.\- :]+", key))
        and os.path.normpath(key) == key[:250]
        and (not key.startswith((".", "/")))
    )


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run under an id that has no name.
        return str(os.getuid())
