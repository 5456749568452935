"""Test that projects of each layout that docs/moving-in.md names arrive whole."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest
from scratch import Scratch, repository_root

DOCKERFILE = "FROM python:3.11-slim-bookworm\n"
BUILD_CONTEXT = "environment: {build: {path: docker}}\n"
IMAGE = 'environment: {image: "python:3.11"}\n'


@dataclass(frozen=True)
class Layout:
    """What stands below `src/` after the move, and what each job then sends, by its unit."""

    files: dict[str, str]
    sent: dict[str, set[str]]


LAYOUTS = {
    "the Makefile scaffolding": Layout(
        {
            "wine/BUILD": "experiment()\n",
            "wine/main.py": "import model\nfrom common.terminal import plain\n\n"
            "print(model, plain)\n",
            "wine/model.py": "",
            "wine/local.py": "import main\n\nprint(main)\n",
            "wine/docker/Dockerfile": DOCKERFILE,
            "wine/azure-ml-job.yaml": "code: .\ncommand: python main.py\n" + BUILD_CONTEXT,
            "common/terminal.py": "plain = 1\n",
        },
        {"": {"main.py", "model.py", "common/__init__.py", "common/terminal.py"}},
    ),
    "its successor on uv": Layout(
        {
            "wine/BUILD": 'experiment(job_file="aml-job.yaml", docker="environment")\n',
            "wine/__init__.py": "",
            "wine/__main__.py": "from shared.log import show\nfrom wine.answer import A\nshow(A)\n",
            "wine/answer.py": "A = 42\n",
            "wine/environment/Dockerfile": DOCKERFILE,
            "wine/aml-job.yaml": "code: ..\ncommand: python -m wine\n"
            + BUILD_CONTEXT.replace("docker", "environment"),
            "shared/BUILD": "python_sources()\n",
            "shared/__init__.py": "",
            "shared/log.py": "show = print\n",
        },
        {
            "": {
                *("wine/__init__.py", "wine/__main__.py", "wine/answer.py"),
                *("shared/__init__.py", "shared/log.py"),
            }
        },
    ),
    "scripts and job files in folders of their own": Layout(
        {
            "wine/BUILD": 'experiment(job_file="jobs/train.yml", docker=None)\n',
            "wine/train/train.py": "import features\nprint(features)\n",
            "wine/train/features.py": "",
            "wine/jobs/train.yml": "code: ../train\ncommand: python train.py\n" + IMAGE,
        },
        {"": {"train.py", "features.py"}},
    ),
    "a package with pyproject.toml": Layout(
        {
            "my_package/BUILD": "experiment(docker=None)\n",
            "my_package/__init__.py": "",
            "my_package/train.py": "from my_package import data\nprint(data)\n",
            "my_package/data.py": "",
            "my_package/azure-ml-job.yaml": "code: ..\ncommand: python -m my_package.train\n"
            + IMAGE,
        },
        {"": {"my_package/__init__.py", "my_package/train.py", "my_package/data.py"}},
    ),
    "a pipeline with components": Layout(
        {
            "wine/BUILD": 'experiment(job_file="pipeline.yml", docker=None)\n',
            "wine/pipeline.yml": "type: pipeline\njobs:\n"
            "  prepare: {type: command, component: ./components/prepare/prepare.yml}\n",
            "wine/components/prepare/prepare.yml": "type: command\nname: prepare\ncode: ./src\n"
            "command: python prepare.py\n" + IMAGE,
            "wine/components/prepare/src/prepare.py": "import helpers\nprint(helpers)\n",
            "wine/components/prepare/src/helpers.py": "",
        },
        {"prepare": {"prepare.py", "helpers.py"}},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_project_of_this_layout_arrives_whole(scratch: Scratch, layout: Layout) -> None:
    address = f"src/{next(iter(layout.files)).partition('/')[0]}:job"
    with scratch.changed({f"src/{name}": text for name, text in layout.files.items()}):
        printed = scratch.pants("run", address).stdout
    name = re.search(r"(\S+) Completed in", printed)
    assert name, printed
    manifest_file = scratch.root / ".azureml/jobs" / name[1] / "bundle/manifest.json"
    manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
    units = manifest.get("units") or [{"name": "", **manifest}]
    assert layout.sent == {
        unit["name"]: {file["path"] for file in unit["snapshot"]["files"]} for unit in units
    }


def test_the_page_says_what_these_layouts_need() -> None:
    page = (repository_root() / "docs/moving-in.md").read_text(encoding="utf-8")
    for layout in LAYOUTS.values():
        build, *_ = layout.files.values()
        assert f"`{build.strip()}`" in page
