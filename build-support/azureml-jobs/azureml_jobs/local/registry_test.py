"""Models and components are registered in the local workspace, and found by name and version."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azureml_jobs.base.assets import COMPONENTS, MODELS
from azureml_jobs.base.errors import JobError
from azureml_jobs.local.local_assets import LocalAssets
from azureml_jobs.local.registry import LocalRegistry, RegisteredVersion


@pytest.fixture
def registry(tmp_path: Path) -> LocalRegistry:
    return LocalRegistry(tmp_path / "a répo" / ".azureml")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "m" / "below").mkdir(parents=True)
    (tmp_path / "m" / "below" / "weights.bin").write_bytes(b"w")
    return tmp_path / "m"


def add(
    registry: LocalRegistry, name: str, source: Path, version: str | None = None
) -> RegisteredVersion:
    """Register a model as the command does."""
    assets = LocalAssets(MODELS, registry._root.parent)
    found = registry.find(MODELS, assets.register(name, str(source), version, None))
    assert found is not None
    return found


def test_finds_versions_of_a_model(registry: LocalRegistry, model: Path) -> None:
    for version in (None, "9", None, "a"):
        add(registry, "wine", model, version)
    assert [each.version for each in registry.versions(MODELS, "wine")] == ["1", "9", "10", "a"]
    found = {
        name: getattr(registry.find(MODELS, name), "id", None)
        for name in ("azureml:wine:9", "azureml:wine@latest", "wine", "azureml:wine:2", "beer:1")
    }
    assert list(found.values()) == [
        *("azureml:wine:9", "azureml:wine:a", "azureml:wine:a", None, None)
    ]
    assert registry.find(COMPONENTS, "azureml:wine:9") is None
    assert registry.names(MODELS) == ["wine"] and registry.names(COMPONENTS) == []


def test_keeps_a_copy_of_a_folder_or_of_a_file(registry: LocalRegistry, model: Path) -> None:
    weights = model / "below" / "weights.bin"
    folder = add(registry, "folder", model)
    file = add(registry, "file", weights)
    weights.unlink()
    assert (folder.path / "below" / "weights.bin").read_bytes() == b"w"
    assert (file.path.name, file.path.read_bytes()) == ("weights.bin", b"w")
    assert folder.meta["type"] == "custom_model"


def test_returns_the_whole_document_of_a_component(registry: LocalRegistry) -> None:
    def write(folder: Path) -> None:
        (folder / "code").mkdir(parents=True)
        (folder / "azure-ml-job.yaml").write_text(
            "type: pipeline\njobs: {train: {type: command, component: ./train.yaml}}\n"
        )
        (folder / "train.yaml").write_text("type: command\ncode: ./code/train\n")

    made = registry.register(COMPONENTS, "train", "1", {}, write)
    train = {"type": "command", "code": "./code/train"}
    document = {"type": "pipeline", "jobs": {"train": {"type": "command", "component": train}}}
    assert registry.find_component("azureml:train:1") == document
    assert registry.find_component("azureml:train@latest") == document
    assert registry.find_component("azureml:train:2") is None
    assert registry.find(COMPONENTS, "azureml:train:1") == made and (made.path / "code").is_dir()


def test_a_version_is_registered_once(registry: LocalRegistry, model: Path) -> None:
    add(registry, "wine", model, "1")
    with pytest.raises(JobError, match="azureml:wine:1: this version exists already"):
        add(registry, "wine", model, "1")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: add(registry, "wine", model), range(8)))
    assert {each.version for each in made} == {str(number) for number in range(2, 10)}
    assert len(list((registry._root / MODELS / "wine").iterdir())) == 9
    # One that cannot be read is skipped, but its number is taken.
    torn = add(registry, "torn", model)
    (torn.folder / "meta.json").write_text("")
    assert add(registry, "torn", model).id == "azureml:torn:2"


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".new-x"])
def test_names_are_those_of_azure_ml(registry: LocalRegistry, model: Path, name: str) -> None:
    with pytest.raises(JobError, match="not a valid name"):
        add(registry, name, model)


def test_what_fails_leaves_nothing(registry: LocalRegistry, model: Path) -> None:
    (model / "loop").symlink_to(model)
    with pytest.raises(JobError, match="could not be registered: Too many levels"):
        add(registry, "wine", model)
    assert list((registry._root / MODELS / "wine").iterdir()) == []
