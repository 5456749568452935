"""Is a bundle what an earlier job ran, byte for byte, and what may still be different?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from azureml_jobs.base.digest import file_digest
from azureml_jobs.base.errors import OutsideError
from azureml_jobs.bundle.manifest_file import units_of
from azureml_jobs.bundle.names import CODE_FOLDER
from azureml_jobs.jobfile.documents import nodes_of

Manifest = Mapping[str, Any]


def check_fetched(record: Path, manifest: Manifest) -> None:
    """Raise `OutsideError` unless the code next to a manifest is what it says."""
    for unit in units_of(manifest):
        folder = record / CODE_FOLDER / unit["name"]
        for file in unit["snapshot"]["files"]:
            path = folder / file["path"]
            if not path.is_file() or file_digest(path) != file["sha256"]:
                raise OutsideError(
                    str(path),
                    "this is not what the job's manifest says",
                    "Somebody has changed the record of the job.",
                )


def is_of_one_run(override: str) -> bool:
    """Return whether an override only tells one run of a job from another."""
    return override.startswith(("name=", "settings.force_rerun="))


def differences(then: Manifest, now: Manifest) -> list[str]:
    """Return what decides a job and differs between two manifests, apart from its name."""
    old, new = dict(_parts(then)), dict(_parts(now))
    lines = []
    for what in sorted(old.keys() | new.keys()):
        if what not in new:
            lines.append(f"{what} is gone")
        elif what not in old:
            lines.append(f"{what} is new")
        elif old[what] != new[what]:
            lines.append(f"{what} differs")
    return lines


def _parts(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    """Yield everything that decides the job, with a name to print."""
    yield "kind", manifest["kind"]
    for document in manifest["documents"]:
        yield document["path"], document["sha256"]
    for override in manifest["overrides"]:
        if not is_of_one_run(override):
            yield f"--set {override}", None
    for item in manifest["data"]:
        given = item.get("sha256") or item.get("asset") or item.get("uri")
        yield f"input {item['input']}", given
    for unit in units_of(manifest):
        of = f" of {unit['name']}" if unit["name"] else ""
        for kind in ("snapshot", "environment"):
            for file in (unit[kind] or {}).get("files", ()):
                place = "code" if kind == "snapshot" else kind
                yield f"{place}/{file['path']}{of}", (file["sha256"], file["executable"])
        packages = unit["packages"]
        yield f"packages{of}", (packages["requirements"], packages["lock_sha256"])


def doubts(then: Manifest, now: Manifest, runs_here: bool) -> list[str]:
    """Return what may give another result in spite of the same bundle, and why."""
    found = []
    if (then["git"] or {}).get("tools_changed"):
        found.append("build-support was changed when the job was made, which no record has")
    old, new = then["made"] or {}, now["made"] or {}
    for key in ("system", "python") if runs_here else ():
        if old.get(key) != new.get(key):
            found.append(f"it was started on {key} {old.get(key)}, and this is {new.get(key)}")
    for name, version in then["versions"].items():
        if now["versions"].get(name) != version:
            found.append(f"{name} was {version}, and is {now['versions'].get(name)}")
    for item in then["data"]:
        if str(item.get("asset")).endswith("@latest"):
            found.append(f"input {item['input']}: {item['asset']} may be a newer version today")
        elif "uri" in item:
            found.append(f"input {item['input']}: {item['uri']} may have other content today")
    for document in then["documents"]:
        for node in nodes_of(document["content"]):
            if "bayesian" in str(node.value.get("sampling_algorithm")).lower():
                found.append("its sweep chooses values by the order in which its trials end")
    return [*found, *_images(then, now)]


def _images(then: Manifest, now: Manifest) -> Iterator[str]:
    """Yield what is known of images; without an id, a name may stand for another one today."""
    images = {unit["name"]: unit["image"] for unit in units_of(now)}
    is_known = True
    for unit in units_of(then):
        old, new = unit["image"], images.get(unit["name"])
        is_known = is_known and bool(old and new)
        if old and not new:
            yield f"it ran in the image {old['reference']}, and runs in another environment now"
        elif old and new and old["id"] != new["id"]:
            yield f"the image {new['reference']} was {old['id']}, and is {new['id']}"
    for document in () if is_known else then["documents"]:
        for node in nodes_of(document["content"]):
            for name in _floating(node.value), _floating(node.value.get("environment")):
                if name:
                    key = ".".join((*node.keys, "environment"))
                    yield f"{document['path']}: {key}: {name} may be another image today"


def _floating(environment: Any) -> str:
    """Return the name of an image or an environment that can move to another, if this is one."""
    if isinstance(environment, Mapping):
        image = str(environment.get("image") or "")
        return "" if "@sha256:" in image else image
    name = str(environment)
    return name if re.search(r"@latest$|/labels/", name) else ""
