"""Run the jobs that were submitted, each in a job folder of the local workspace."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.base import job_status as status
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.exec_after_pants import RUN_SCRIPT
from azureml_jobs.base.job_status import now
from azureml_jobs.local.cancel import cancel
from azureml_jobs.local.create_command import Place
from azureml_jobs.local.process import is_running
from azureml_jobs.local.state import current_record
from azureml_standin.control_plane.assets import Assets
from azureml_standin.control_plane.resources import output_addresses
from azureml_standin.execution.job_folder import JobFolderBuilder
from azureml_standin.execution.packages import Packages
from azureml_standin.execution.runs import QUEUED, Runs, RunView, view_of
from azureml_standin.execution.trees import run_pipeline, run_sweep


class Execution(Runs):
    """A queue of jobs, of which `at_once` run at a time; with 0 every job stays `Queued`.

    `failed` is called with the error in flight where the service itself is at fault.
    """

    def __init__(
        self,
        assets: Assets,
        builder: JobFolderBuilder,
        packages: Packages,
        folder: Path,
        at_once: int,
        failed: Callable[[], object],
    ) -> None:
        super().__init__(assets.state, folder)
        self.assets = assets
        self._failed = failed
        self._builder = builder
        self._packages = packages
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._cancelled: set[str] = set()
        self._cancellers: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(at_once)]
        for name in self.unfinished():
            # A service that was killed has left it running.
            with contextlib.suppress(JobError, OSError, ValueError):
                cancel(self.folder(name), grace=2.0)
            self.end(name, status.FAILED, "the service ended before the job did")

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Cancel what runs, and wait for it."""
        self._stopping.set()
        for _ in self._workers:
            self._queue.put(None)
        for name in self.unfinished():
            self.cancel(name, grace=2.0)
        self._packages.stop()
        for thread in (*self._workers, *self._cancellers):
            if thread.ident is not None:
                thread.join(60.0)

    def enqueue(self, name: str, properties: Mapping[str, Any]) -> None:
        """Add a job to the queue. `properties` are those of the control plane."""
        self.keep(name, status=QUEUED, job=dict(properties))
        self._queue.put(name)

    def run_child(
        self, parent: str, name: str, step: str, body: Mapping[str, Any], reuse_key: str = ""
    ) -> RunView:
        """Run a step or a trial as a job of its own, and wait for its end.

        An earlier one with the same key, which completed, lends it its outputs instead.
        """
        above = self._state.document("children", parent) or {}
        child = {"parent": parent, "root": above.get("root", parent), "step": step}
        job = {"name": name, "createdAt": now(), "properties": dict(body), **child}
        with self._state.lock:
            if parent in self._cancelled:
                raise JobError(parent, "canceled")
            self._state.put_document("children", name, job)
            self.keep(name, status=status.PREPARING, job=dict(body))
        self.log(parent, f"Submitting 1 runs, first five are: {step or name}:{name}")
        earlier = self._state.document("reusable", reuse_key) if reuse_key else None
        if earlier:
            # The properties are those of `PipelineConstants` in azure-ai-ml.
            marks = {"azureml.isreused": "true", "azureml.reusedrunid": earlier["job"]}
            self.keep(name, outputs=output_addresses(earlier["job"], body), properties=marks)
            self.end(name, status.COMPLETED)
        else:
            self._run(name, body)
        view = self.view(name)
        if reuse_key and not earlier and view.status == status.COMPLETED:
            self._state.put_document("reusable", reuse_key, {"job": name})
        self.log(parent, f"Completing processing run id {name}.")
        return view

    def cancel(self, name: str, grace: float = 30.0) -> None:
        """Begin to cancel a job, and return at once."""
        with self._state.lock:
            self._cancelled.add(name)
            run = self._state.document("runs", name)
            if run is None or run["status"] in status.ENDED:
                return
            if run["status"] == QUEUED:
                self.end(name, status.CANCELED, "canceled before it began")
                return
            children = [each["name"] for each in self.children(name)]
            arguments = (name, grace)
            canceller = threading.Thread(target=self._cancel_running, args=arguments, daemon=True)
            self._cancellers.append(canceller)
        canceller.start()
        for child in children:
            self.cancel(child, grace)

    def _cancel_running(self, name: str, grace: float) -> None:
        while not self.view(name).has_ended:
            record = self.record(name)
            # Before its runner has recorded itself there is no process to signal.
            if record and record.pid is not None and is_running(record.pid, record.pid_identity):
                # It may have ended by itself meanwhile, which is an error of `cancel`.
                with contextlib.suppress(JobError):
                    cancel(self.folder(name), grace)
            time.sleep(0.05)

    def _work(self) -> None:
        while (name := self._queue.get()) is not None:
            if self._stopping.is_set():
                return
            with self._state.lock:
                run = self._state.document("runs", name)
                if run is None or run["status"] != QUEUED:
                    continue
                self.keep(name, status=status.PREPARING)
            self._run(name, run["job"])

    def _run(self, name: str, job: Mapping[str, Any]) -> None:
        """Run a job of any kind, and keep how it ended."""
        self.report(f"{name} {status.PREPARING}")
        try:
            if job["jobType"] == "Command":
                self._run_command(name, job)
                return
            self.keep(name, status=status.RUNNING, started=now())
            self.report(f"{name} {status.RUNNING}")
            if job["jobType"] == "Pipeline":
                run_pipeline(self, name, job)
            elif job["jobType"] == "Sweep":
                run_sweep(self, name, job)
            else:
                raise JobError(name, f"the stand-in does not run jobs of type {job['jobType']}")
            self._register_outputs(name, job)
            self.end(name, status.COMPLETED)
        except JobError as error:
            is_cancelled = name in self._cancelled
            how = (status.CANCELED, "canceled") if is_cancelled else (status.FAILED, str(error))
            self.end(name, *how)
        except Exception as error:
            # If the worker ended, later jobs would stay in the queue for ever.
            self._failed()
            self.end(name, status.FAILED, f"the stand-in failed: {error!r}")

    def _run_command(self, name: str, properties: Mapping[str, Any]) -> None:
        runtime, python = self._packages.of(name, properties)
        child = self._state.document("children", name) or {}
        # Parents have no record of the local workspace, which a child with a parent would read.
        place = Place(root=child.get("root", ""), step=child.get("step", ""))
        self._builder.build(name, properties, runtime, python, place)
        if name in self._cancelled:
            raise JobError(name, "canceled before it began")
        self.report(f"{name} {status.RUNNING}")
        folder = self.folder(name)
        # The job's own environment is made by the runner, which takes nothing of this path.
        path = os.pathsep.join(os.path.abspath(each) for each in sys.path if each)
        subprocess.run(
            [sys.executable, str(RUN_SCRIPT), "execute", str(folder.path)],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )
        view = view_of(current_record(folder))
        self.save(name, view)
        if view.status == status.COMPLETED:
            self._register_outputs(name, properties)

    def _register_outputs(self, name: str, job: Mapping[str, Any]) -> None:
        for key, address in {**output_addresses(name, job), **self.kept(name, "outputs")}.items():
            if job["outputs"][key].get("assetName"):
                self.assets.add_output(job["outputs"][key], address)

    def component(self, id_: str) -> dict[str, Any]:
        """Return the specification of a component. Raises `JobError` for an unknown one."""
        found = self.assets.references.version(id_)
        if found is None:
            raise JobError(id_, "the stand-in has no such component")
        spec: dict[str, Any] = found["properties"]["componentSpec"]
        return spec
