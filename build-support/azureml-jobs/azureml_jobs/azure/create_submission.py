"""Write a submission, or find the one of the same content that was killed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from azureml_jobs.azure.submission import Part, Submission, SubmissionFolder, SubmitOptions
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.base.files import make_folder
from azureml_jobs.base.jobs import job_name_stem
from azureml_jobs.base.workspace_config import LOCAL_FOLDER, AzureWorkspace
from azureml_jobs.bundle.plan import JobPlan
from azureml_jobs.bundle.provenance import Provenance, UsedImage
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.docker.pushable_image import PushableImage
from azureml_jobs.jobfile.document import dump_job_file

_NEW = ".new-"
_ABANDONED_SECONDS = 24 * 3600.0
# Room for more, such as `-<date>-<time>-<count>`, in 255 characters: of a job's name, or a file's.
_LONGEST_STEM = 200


def create_submission(
    plan: JobPlan,
    provenance: Provenance,
    workspace: AzureWorkspace,
    repository: Path,
    options: SubmitOptions,
    images: Mapping[str, PushableImage] = {},
) -> SubmissionFolder:
    """Write all that is sent into a new folder, or find the one of a killed submission.

    That one has the same content, for the same workspace, and had started to send it. `images` are
    sent in place of the build contexts of the units of these names. Raises `OutsideError` when the
    disk fails.
    """
    root = repository / LOCAL_FOLDER / "submissions"
    written, is_job = str(plan.job.get("name") or ""), plan.kind.endswith(" job")
    # azure-ai-ml makes names of jobs lower-case silently; the job would not be found again.
    name = written.lower() if is_job else written
    content = _content_digest(plan, provenance, workspace, images, with_data=bool(name))
    pushed = {each: UsedImage(image.reference, image.id) for each, image in images.items()}
    provenance = replace(provenance, images=pushed)
    try:
        make_folder(root)
        interrupted = _interrupted(root, content)
        if interrupted is not None and not name:
            folder, submission = interrupted
            replace(submission, options=options).write(folder.path)
            return folder
        submission = Submission(
            file_kind=plan.kind,
            name=name or _new_name(plan),
            asset_version=str(plan.job.get("version") or ""),
            # The user's own name stands for one content: started again, it is the same submission.
            token=content if name else secrets.token_hex(16),
            content=content,
            snapshot=plan.bundle.snapshot_digest,
            environment=plan.bundle.environment_digest,
            is_named=bool(name),
            address=plan.request.address,
            experiment_name=plan.experiment_name,
            workspace=workspace,
            parts=tuple(_parts(plan, repository, images)),
            options=options,
        )
        return _write(plan, provenance, submission, root, repository)
    except OSError as error:
        raise OutsideError(
            LOCAL_FOLDER,
            f"the submission could not be written: {error.strerror or error}",
            f"Check the free space and the permissions of {root}.",
        ) from error


def _parts(plan: JobPlan, repository: Path, images: Mapping[str, PushableImage]) -> Iterator[Part]:
    names = plan.bundle.document_names
    for bundled in plan.bundle.units:
        unit, environment = bundled.unit, bundled.unit.environment
        document = names[unit.document]
        if bundled.code and bundled.code_keys:
            content = bundled.snapshot_digest
            yield Part("snapshot", unit.name, document, bundled.code_keys, content)
        # Conda packages are part of what azure-ai-ml says of an environment.
        if environment and bundled.environment and unit.build_context is not None:
            image, content = images.get(unit.name), str(bundled.environment_digest)
            dockerfile = str(environment.value["build"].get("dockerfile_path") or "Dockerfile")
            yield Part(
                *("image" if image else "environment", unit.name, document, environment.keys),
                *(content, dockerfile, image),
            )
    for each in plan.bundle.data:
        path = str(repository / each.path)
        yield Part("input", each.name, names[each.document], (*each.keys, "path"), path)


def _content_digest(
    plan: JobPlan,
    provenance: Provenance,
    workspace: AzureWorkspace,
    images: Mapping[str, PushableImage],
    with_data: bool,
) -> str:
    """Return a digest of what is sent. Unless `with_data`, data are only read when sent."""
    bundle = plan.bundle
    content = [
        [dump_job_file(dict(document)) for document in bundle.documents.values()],
        [[unit.snapshot_digest, unit.environment_digest] for unit in bundle.units],
        asdict(workspace),
        {name: image.id for name, image in images.items()},
        [asdict(each) for each in provenance.data.values() if each] if with_data else [],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _write(
    plan: JobPlan, provenance: Provenance, submission: Submission, root: Path, repository: Path
) -> SubmissionFolder:
    staging = root / f"{_NEW}{secrets.token_hex(8)}"
    stem, count = submission.name, 1
    try:
        staging.mkdir()
        bundle = SubmissionFolder(staging).bundle
        write_bundle(plan, provenance, bundle, repository, with_data=False)
        while True:
            submission.write(staging)
            name = submission.name
            if submission.is_named:
                # With the user's own name, the job is found in the workspace, not here.
                name = f"{name[:_LONGEST_STEM]}.{secrets.token_hex(4)}"
            final = SubmissionFolder(root / name)
            try:
                os.rename(staging, final.path)
                return final
            except OSError:
                # Only an empty folder can be replaced by renaming.
                if not final.path.exists():
                    raise
            count += 1
            submission = replace(submission, name=f"{stem}-{count}")
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _interrupted(root: Path, content: str) -> tuple[SubmissionFolder, Submission] | None:
    """Return a submission of this content that was started, and that no process is sending.

    What was abandoned long ago, and is not needed to find a job again, is removed.
    """
    for path in sorted(root.iterdir()):
        folder = SubmissionFolder(path)
        submission = folder.read()
        is_needed = submission and submission.is_started and not submission.is_named
        with contextlib.suppress(OSError):
            if not is_needed:
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    folder.remove()
            elif submission and submission.content == content:
                with folder.held() as is_ours:
                    # The process that was sending it may have ended, and removed it, meanwhile.
                    if is_ours and folder.read():
                        return folder, submission
    return None


def _new_name(plan: JobPlan) -> str:
    """Return experiment, first digits of the code's digest if there is code, time in UTC."""
    stem = job_name_stem(plan.experiment_name)[:_LONGEST_STEM].lower()
    digest = [plan.bundle.snapshot_digest[:8]] if plan.bundle.units else []
    return "-".join([stem, *digest, time.strftime("%Y%m%d-%H%M%S", time.gmtime())])
