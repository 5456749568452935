"""Data on this machine that inputs name by a path."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_jobs.base.digest import entries_digest
from azureml_jobs.base.files import copy_file
from azureml_jobs.bundle.known import known_digests
from azureml_jobs.jobfile.documents import mapping_of, nodes_of, step_names
from azureml_jobs.jobfile.paths import is_local, unique_name

# Inputs of jobs whose code is Azure ML's own.
_DATA_KEYS = ("training_data", "validation_data", "test_data")


@dataclass(frozen=True)
class LocalData:
    """The data of one input: the value of `path` at `keys` of a document names it.

    `name` is unique in the job, that of the input if it is the job's own; `path` is relative to the
    repository's root, or absolute.
    """

    name: str
    path: str
    document: str
    keys: tuple[str, ...]


def local_data(documents: Mapping[str, Mapping[str, Any]], job_file: str) -> tuple[LocalData, ...]:
    """Return the inputs in the documents whose data is on this machine."""
    return tuple(each for each in _data(documents, job_file) if is_local(each.path))


def data_elsewhere(
    documents: Mapping[str, Mapping[str, Any]], job_file: str
) -> list[dict[str, str]]:
    """Return the inputs that name an asset or an address, as they are written."""
    found = []
    for each in _data(documents, job_file):
        if not is_local(each.path) and "${{" not in each.path:
            is_asset = each.path.startswith("azureml:") and "://" not in each.path
            found.append({"input": each.name, "asset" if is_asset else "uri": each.path})
    return found


def _data(documents: Mapping[str, Mapping[str, Any]], job_file: str) -> Iterator[LocalData]:
    taken: set[str] = set()
    for document, content in documents.items():
        for keys, value in _inputs(content):
            path = value.get("path")
            if not isinstance(path, str):
                continue
            names = [] if document == job_file else [posixpath.basename(document).split(".")[0]]
            names += [*step_names(keys), keys[-1]]
            # The job's own inputs come first, and their names differ.
            name = names[0] if names == [keys[-1]] else unique_name("-".join(names), taken)
            taken.add(name.casefold())
            if is_local(path):
                # An absolute path stays what it is: join() drops what is before it.
                path = posixpath.normpath(posixpath.join(posixpath.dirname(document), path))
            yield LocalData(name, path, document, keys)


def _inputs(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    for node in nodes_of(document):
        for name, value in mapping_of(node.value.get("inputs")).items():
            if isinstance(value, Mapping):
                yield (*node.keys, "inputs", str(name)), value
        for key in _DATA_KEYS:
            if isinstance(node.value.get(key), Mapping):
                yield (*node.keys, key), node.value[key]


@dataclass(frozen=True)
class DataDigest:
    """`sha256` is that of the names and contents of `files` files with so many `bytes`."""

    sha256: str
    files: int
    bytes: int


def data_digest(data: Path) -> DataDigest:
    """Return the digest of a file or folder. Raises `OSError` for what cannot be read."""
    base = data if data.is_dir() else data.parent
    files = {file.relative_to(base).as_posix(): file for file in data_files(data)}
    with known_digests() as known:
        sha256 = entries_digest((name, known(file), False) for name, file in files.items())
    return DataDigest(sha256, len(files), sum(file.stat().st_size for file in files.values()))


def copy_data(original: Path, copy: Path) -> None:
    """Copy contents alone: modes and times of data mean nothing, and differ among machines."""
    (copy if original.is_dir() else copy.parent).mkdir(parents=True)
    for file in data_files(original):
        copy_file(file, copy / file.relative_to(original))


def data_files(data: Path, above: tuple[Path, ...] = ()) -> list[Path]:
    """Return the files of a file or folder, those behind links too, as Azure ML would upload them.

    Raises `OSError` for links in a circle, and for what is neither, whose reader may wait for ever;
    `above` are the folders on the way.
    """
    if data.is_file() or not os.path.exists(data):
        return [data]
    if not data.is_dir():
        raise OSError(errno.EINVAL, "it is a pipe, a socket or a device", str(data))
    real = data.resolve()
    if real in above:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(data))
    inside = sorted(data.iterdir())
    return [file for each in inside for file in data_files(each, (*above, real))]
