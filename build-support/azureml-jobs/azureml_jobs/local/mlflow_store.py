"""Experiments and runs in MLflow's store of files, written and read without MLflow."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from azureml_jobs.base.files import make_folder, new_folder, write_file
from azureml_jobs.base.job_status import CANCELED, COMPLETED, FAILED
from azureml_jobs.local.folder import files_below

# mlflow/entities/run_status.py and source_type.py
_RUNNING, _FINISHED, _FAILED, _KILLED = 1, 3, 4, 5
_STATUS = {COMPLETED: _FINISHED, FAILED: _FAILED, CANCELED: _KILLED}
_SOURCE_LOCAL = 4
_META = "meta.yaml"
_TRASH = ".trash"
_RUN_FOLDERS = ("metrics", "params", "tags", "artifacts")
_Point = tuple[int, int, float]


@dataclass
class RunData:
    """What code logged. A point of the history is (step, milliseconds since 1970, value)."""

    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[_Point]] = field(default_factory=dict)


class MlflowStore:
    """The folder that `MLFLOW_TRACKING_URI` names, in the layout that MLflow 2 and 3 share.

    Layout: `mlflow/store/tracking/file_store.py`. `<experiment id>/meta.yaml` and
    `<experiment id>/<run id>/` with `meta.yaml`, `params/`, `tags/`, `metrics/` (one file per key)
    and `artifacts/`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def ensure_experiment(self, name: str) -> str:
        """Return the id of the experiment `name`; create it, or restore it when it was deleted.

        The id follows from the name, so that two processes that create it at once agree.
        """
        derived = _experiment_id(name)
        self._create_experiment("0", "Default")
        deleted = sorted(self.root.glob(f"{_TRASH}/*"))
        for folder in (self.root / derived, *sorted(self.root.glob("[!.]*")), *deleted):
            meta = _read_meta(folder)
            if meta.get("name") == name:
                if folder in deleted:
                    _write_meta(folder, {**meta, "lifecycle_stage": "active"})
                    os.replace(folder, self.root / folder.name)
                return folder.name
        self._create_experiment(derived, name)
        return derived

    def create_run(
        self, experiment_id: str, run_id: str, run_name: str, tags: Mapping[str, str], start: str
    ) -> Path:
        """Create a run that `MLFLOW_RUN_ID=run_id` resumes. `start` is ISO 8601."""
        final, user = self.root / experiment_id / run_id, _user()
        own_tags = {"mlflow.user": user, "mlflow.source.type": "LOCAL"}
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
        with self._new_folder(final) as temporary:
            for name in _RUN_FOLDERS:
                (temporary / name).mkdir()
            _write_texts(temporary / "tags", {**own_tags, **tags, "mlflow.runName": run_name})
            _write_meta(temporary, meta)
        return final

    def finish_run(
        self, run_id: str, status: str, end: str, params: Mapping[str, str] | None = None
    ) -> None:
        """Set the status of a run to that of its job, and those of `params` that it lacks.

        An end that the code itself recorded stays, except for the success of a job that failed:
        MLflow records success whenever an interpreter ends, even with `sys.exit(1)`.
        """
        run = self.run_folder(run_id)
        if run is None:
            return
        _write_texts(run / "params", params or {})
        meta, final = _read_meta(run), _STATUS[status]
        if meta and meta.get("status") not in (_FAILED, _KILLED, final):
            meta.update(status=final, end_time=meta.get("end_time") or _milliseconds(end))
            _write_meta(run, meta)

    def read_run(self, run_id: str) -> RunData:
        """Return what was logged to a run so far; nothing when there is no such run."""
        run = self.run_folder(run_id)
        if run is None:
            return RunData()
        data = RunData(dict(_read_texts(run / "params")), dict(_read_texts(run / "tags")))
        for key, text in _read_texts(run / "metrics"):
            points = _points_of(text)
            if points:
                data.history[key] = points
                # As MLflow decides which value is the last one.
                data.metrics[key] = max(points, key=_order)[2]
        return data

    def metric_values(self, run_id: str, metric: str) -> list[float]:
        """Return the values of a metric so far, in the order in which they were logged."""
        run = self.run_folder(run_id)
        try:
            text = (run / "metrics" / metric).read_text(encoding="utf-8") if run else ""
        except OSError:
            return []
        return [value for _, _, value in _points_of(text)]

    def logged_models(self, run_id: str) -> dict[str, Path]:
        """Return the folders of the models that a run logged, by name; MLflow 3 keeps them apart.

        Of several models of one name the last one has it; others have their id in addition.
        """
        run = self.run_folder(run_id)
        if run is None:
            return {}
        metas = [_read_meta(model) for model in (run.parent / "models").glob("m-*")]
        own = [meta for meta in metas if meta.get("source_run_id") == run_id]
        found: dict[str, Path] = {}
        for meta in sorted(own, key=lambda meta: int(meta["creation_timestamp"]), reverse=True):
            name, model_id = str(meta["name"]), str(meta["model_id"])
            key = f"{name}-{model_id}" if name in found else name
            found[key] = run.parent / "models" / model_id / "artifacts"
        return found

    def run_folder(self, run_id: str) -> Path | None:
        """Return the folder of a run, in that of its experiment; None when there is no such run."""
        return next((meta.parent for meta in self.root.glob(f"[!.]*/{run_id}/{_META}")), None)

    def _create_experiment(self, experiment_id: str, name: str) -> None:
        final = self.root / experiment_id
        if (final / _META).is_file() or (self.root / _TRASH / experiment_id).exists():
            return
        created = int(datetime.now().timestamp() * 1000)
        with self._new_folder(final) as temporary:
            _write_meta(
                temporary,
                {
                    "artifact_location": final.absolute().as_uri(),
                    "creation_time": created,
                    "experiment_id": experiment_id,
                    "last_update_time": created,
                    "lifecycle_stage": "active",
                    "name": name,
                },
            )

    @contextlib.contextmanager
    def _new_folder(self, final: Path) -> Iterator[Path]:
        """Yield a folder to fill that becomes `final`, unless another process was faster."""
        make_folder(final.parent)
        # Outside the store, where MLflow would take it for an experiment or a run.
        with new_folder(self.root.parent, ".new-mlflow-") as temporary:
            yield temporary
            temporary.chmod(0o755)
            try:
                os.rename(temporary, final)
            except OSError:
                if not (final / _META).is_file():
                    raise
                shutil.rmtree(temporary, ignore_errors=True)


def _experiment_id(name: str) -> str:
    """Return an id of 18 digits, like MLflow's own."""
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


def _read_texts(folder: Path) -> Iterator[tuple[str, str]]:
    # The path of a file is a key in MLflow.
    for key, path in files_below(folder):
        with contextlib.suppress(OSError):
            yield key, path.read_text(encoding="utf-8", errors="replace")


def _points_of(text: str) -> list[_Point]:
    """Return the points in the file of a metric, in the order in which they were logged."""
    return [point for point in map(_point, text.splitlines()) if point]


def _point(line: str) -> _Point | None:
    """Parse `<time> <value> <step> [<data set> <digest>]`; None for a half-written line."""
    parts = line.split()
    try:
        return int(parts[2]) if len(parts) > 2 else 0, int(parts[0]), float(parts[1])
    except (IndexError, ValueError):
        return None


def _order(point: _Point) -> tuple[int, int, float]:
    return point[0], point[1], -math.inf if math.isnan(point[2]) else point[2]


def _write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the keys that are not there yet."""
    for key, text in texts.items():
        path = folder / key
        if _is_key(key) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _is_key(key: str) -> bool:
    """Return whether MLflow allows `key` as the name of a file (`utils/validation.py`)."""
    return (
        bool(re.fullmatch(r"[/\w.\- :]+", key))
        and os.path.normpath(key) == key[:250]
        and (not key.startswith((".", "/")))
    )


def _milliseconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1000)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # In a container the user's id may have no name.
        return str(os.getuid())
