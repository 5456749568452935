from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.version import TOOLS_VERSION
from azureml_jobs.bundle.conftest import GIT, document_of, refusal, written
from azureml_jobs.bundle.contents import UnitBundle
from azureml_jobs.bundle.files import BundleFile
from azureml_jobs.bundle.manifest import manifest
from azureml_jobs.bundle.manifest_file import MANIFEST_VERSION, read_manifest, units_of
from azureml_jobs.bundle.provenance import provenance_of
from azureml_jobs.bundle.write import write_bundle
from azureml_jobs.conftest import CONTEXT_JOB, JOB, NOTHING_KNOWN, Gathered, Tool, cases, tree
from hypothesis import assume, given
from hypothesis import strategies as st


def files_below(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


FULL_JOB = """\
code: ..
command: python -m exp.main --data ${{inputs.table}} ${{inputs.folder}}
inputs:
  table: {type: uri_file, path: ../../data/a b.csv}
  folder: {path: größe}
environment: {build: {path: docker}}
"""


def gather_everything(gathered: Gathered, reverse: bool = False) -> None:
    steps: list[Callable[[], None]] = [
        gathered.add_code,
        lambda: gathered.add("src/exp/ü b.py", "print('ü')\n"),
        lambda: gathered.add("src/exp/run.sh", "#!/bin/sh\n", executable=True),
        lambda: gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n"),
        lambda: gathered.add_context("src/exp/docker/etc/ß.conf", "a\n"),
        lambda: gathered.write("data/a b.csv", "1,2\n"),
        lambda: gathered.write("src/exp/größe/deep/1.csv", "1\n", executable=True),
        lambda: gathered.write("src/exp/größe/2.csv", "2\n"),
    ]
    for step in reversed(steps) if reverse else steps:
        step()


def test_holds_the_closure_the_environment_the_data_and_nothing_else(gathered: Gathered) -> None:
    gather_everything(gathered)
    gathered.write("src/exp/unused.py", "not in the closure\n")
    assert files_below(written(gathered, FULL_JOB)) == [
        "azure-ml-job.yaml",
        "changes.diff",
        "code/common/a.py",
        "code/exp/__init__.py",
        "code/exp/main.py",
        "code/exp/run.sh",
        "code/exp/ü b.py",
        "data/folder/größe/2.csv",
        "data/folder/größe/deep/1.csv",
        "data/table/a b.csv",
        "environment/Dockerfile",
        "environment/etc/ß.conf",
        "environment/requirements.txt",
        "manifest.json",
    ]


WRITE = """
import json, pathlib, sys
from azureml_jobs.bundle.plan import plan_job
from azureml_jobs.bundle.provenance import provenance_of
from azureml_jobs.bundle.write import write_bundle
request, repository, target = map(pathlib.Path, sys.argv[1:])
plan = plan_job(request, repository)
write_bundle(plan, provenance_of(plan, repository), target, repository, with_data=True)
print(json.dumps([plan.bundle.unit.snapshot_digest, plan.bundle.unit.environment_digest]))
"""


def test_writes_the_same_bytes_on_any_machine(
    gathered: Gathered, tool: Tool, tmp_path: Path
) -> None:
    gather_everything(gathered)
    other = Gathered(tmp_path / "ein anderer Ort: ünter")
    old = os.umask(0o077)
    try:
        gather_everything(other, reverse=True)
        outcomes = []
        for each, seed, zone in ((gathered, "1", "UTC"), (other, "77", "Asia/Tokyo")):
            request = each.request(FULL_JOB)
            target = each.folder / "bundle"
            digests = tool.json(
                WRITE,
                *(str(request), str(each.repository), str(target)),
                PYTHONHASHSEED=seed,
                TZ=zone,
                LC_ALL="C",
            )
            outcomes.append((digests, tree(target)))
            os.umask(0o002)
    finally:
        os.umask(old)
    assert outcomes[0] == outcomes[1]
    modes = {path: mode & 0o777 for path, (mode, _) in outcomes[0][1].items()}
    assert modes["code/exp/run.sh"] == modes["code"] == 0o755
    assert modes["code/exp/main.py"] == modes["manifest.json"] == 0o644


CONTENTS = st.binary(max_size=3)
NAMES = st.text('ab/",[]:0', min_size=1, max_size=4)
SNAPSHOTS = st.dictionaries(NAMES, st.tuples(CONTENTS, st.booleans()), max_size=3)


def as_unit(snapshot: dict[str, tuple[bytes, bool]]) -> UnitBundle:
    code = tuple(
        BundleFile(
            *(name, name, "", "", Path(), len(content)),
            hashlib.sha256(content).hexdigest(),
            executable,
        )
        for name, (content, executable) in sorted(snapshot.items())
    )
    return UnitBundle(None, None, code, ())  # type: ignore[arg-type]


@given(SNAPSHOTS, SNAPSHOTS)
def test_two_snapshots_never_have_the_same_digest(
    first: dict[str, tuple[bytes, bool]], second: dict[str, tuple[bytes, bool]]
) -> None:
    assume(first != second)
    assert as_unit(first).snapshot_digest != as_unit(second).snapshot_digest


def test_rewrites_only_the_paths_of_the_job_file(gathered: Gathered) -> None:
    gather_everything(gathered)
    job = f"""{FULL_JOB}
# A comment
display_name: größe
compute: azureml:cpu-cluster
outputs:
  model: {{type: mlflow_model, path: azureml://datastores/x/paths/y}}
resources: {{instance_count: 2, shm_size: 8g}}
tags: {{b: "1", a: "yes"}}
""".replace(
        "inputs:\n",
        "inputs:\n  asset: {type: uri_file, path: 'azureml:wine:1'}\n"
        "  far: {path: 'azureml://datastores/x/paths/y'}\n"
        "  web: {type: uri_file, path: 'https://x.org/a.csv'}\n"
        "  epochs: 3\n  text: ../../data/a b.csv\n",
    )
    expected = yaml.safe_load(job)
    expected["code"] = "./code"
    expected["environment"]["build"]["path"] = "./environment"
    expected["inputs"]["table"]["path"] = "./data/table/a b.csv"
    expected["inputs"]["folder"]["path"] = "./data/folder/größe"
    expected["inputs"]["epochs"] = 9
    bundle = written(gathered, job, "inputs.epochs=9")
    assert document_of(bundle) == expected
    assert list(document_of(bundle)) == list(expected)
    for name in ("table", "folder"):
        assert (bundle / expected["inputs"][name]["path"]).exists()


def test_names_the_code_folder_for_a_job_file_that_names_none(gathered: Gathered) -> None:
    gathered.add("src/exp/main.py")
    bundle = written(gathered, "command: python main.py\nenvironment: azureml:e:1\n")
    assert document_of(bundle)["code"] == "./code"
    assert files_below(bundle / "code") == ["main.py"]


@pytest.mark.parametrize("code", ["", "code: ..\n"], ids=["no code", "code without any of ours"])
def test_a_job_may_have_no_code(gathered: Gathered, code: str) -> None:
    bundle = written(gathered, f"{code}command: nvidia-smi\nenvironment: azureml:e:1\n")
    # An empty folder: Azure ML would refuse to upload it, the local workspace starts in it.
    assert list((bundle / "code").iterdir()) == []
    assert document_of(bundle) == {"command": "nvidia-smi", "environment": "azureml:e:1"}
    assert read_manifest(bundle)["snapshot"]["files"] == []
    assert len(read_manifest(bundle)["snapshot"]["sha256"]) == 64


@cases(
    "environment, message",
    {
        "no build context": (
            "{build: {path: gone}}",
            "build.path: there is no Dockerfile in src/exp/gone",
        ),
        "another Dockerfile that is missing": (
            "{build: {path: docker, dockerfile_path: gpu/Dockerfile}}",
            "build.path: there is no gpu/Dockerfile in src/exp/docker",
        ),
        "a Dockerfile outside of the context": (
            "{build: {path: docker, dockerfile_path: ../Dockerfile}}",
            "build.path: there is no ../Dockerfile in src/exp/docker",
        ),
        "no conda file": (
            "{image: x, conda_file: gone.yaml}",
            "conda_file: there is no src/exp/gone.yaml",
        ),
        "a conda file with a Dockerfile": (
            "{build: {path: docker}, conda_file: env.yaml}",
            "conda_file: conda packages need an `image:`, and this environment has a `build:`",
        ),
    },
)
def test_refuses_a_broken_environment(gathered: Gathered, environment: str, message: str) -> None:
    gathered.add_code()
    for path in ("docker/Dockerfile.gpu", "docker/Dockerfile", "Dockerfile", "env.yaml"):
        gathered.add_context(f"src/exp/{path}")
    error = refusal(gathered, JOB.replace("azureml:env:1", environment))
    assert error.startswith(f"src/exp/azure-ml-job.yaml: environment.{message}.\n\n")


def test_leaves_a_context_with_its_own_requirements_as_it_is(gathered: Gathered) -> None:
    gathered.add_code()
    gathered.add_context("src/exp/docker/Dockerfile", "FROM x\n")
    gathered.add_context("src/exp/docker/requirements.txt", "mine\n")
    bundle = written(gathered, CONTEXT_JOB)
    assert (bundle / "environment/requirements.txt").read_text() == "mine\n"


def test_finds_a_dockerfile_of_another_name(gathered: Gathered) -> None:
    name = "./gpu//Dockerfile"
    gathered.add_code()
    gathered.add_context("src/exp/docker/gpu/Dockerfile", "FROM x\n")
    build = f"environment: {{build: {{path: docker, dockerfile_path: {name}}}}}"
    bundle = written(gathered, JOB.replace("environment: azureml:env:1", build))
    assert document_of(bundle)["environment"]["build"]["dockerfile_path"] == name
    assert (bundle / "environment" / name).is_file()


DATA_JOB = JOB.replace("inputs:\n", "inputs:\n  data: {type: uri_folder, path: DATA}\n")


@pytest.mark.parametrize("path", ["sample", "./sample/", "../exp/sample", "../../data"])
def test_copies_a_folder_of_data_as_azure_would_upload_it(gathered: Gathered, path: str) -> None:
    gathered.add_code()
    folder = gathered.repository / "src/exp" / path
    gathered.write("elsewhere/b.csv", "b")
    gathered.write(os.path.relpath(folder / "a.csv", gathered.repository), "a")
    (folder / "linked").symlink_to(gathered.repository / "elsewhere")
    (folder / "link.csv").symlink_to("a.csv")
    bundle = written(gathered, DATA_JOB.replace("DATA", path))
    copy = bundle / document_of(bundle)["inputs"]["data"]["path"]
    assert files_below(copy) == ["a.csv", "link.csv", "linked/b.csv"]
    assert not any(each.is_symlink() for each in copy.rglob("*"))


@pytest.mark.parametrize(
    ("name", "target"),
    [
        pytest.param("circle", ".", id="a circle"),
        pytest.param("deep/circle", "../..", id="a circle further down"),
        pytest.param("gone", "nowhere", id="a dangling link"),
        pytest.param("self", "self", id="a link to itself"),
        pytest.param("pipe", None, id="a pipe, which nobody writes to"),
    ],
)
def test_does_not_go_on_with_data_that_cannot_be_read(
    gathered: Gathered, name: str, target: str | None
) -> None:
    gathered.add_code()
    gathered.write("src/exp/sample/deep/a.csv", "a")
    path = gathered.repository / "src/exp/sample" / name
    if target:
        path.symlink_to(target)
    else:
        os.mkfifo(path)
    with pytest.raises(OSError) as caught:
        written(gathered, DATA_JOB.replace("DATA", "sample"))
    assert caught.value.filename


def test_copies_data_that_surrounds_the_bundle_once(gathered: Gathered) -> None:
    gathered.add_code()
    plan = gathered.plan(DATA_JOB.replace("DATA", ".."))
    bundle = gathered.repository / "src/dist/bundle"
    write_bundle(plan, NOTHING_KNOWN, bundle, gathered.repository, with_data=True)
    assert (bundle / "data/data/src/exp/main.py").is_file()
    assert not (bundle / "data/data/src/dist/bundle/data").exists()


@pytest.mark.parametrize("with_data", [True, False], ids=["copied", "referred to"])
@pytest.mark.parametrize("is_absolute", [True, False], ids=["absolute", "relative"])
def test_accepts_data_from_outside_of_the_repository(
    gathered: Gathered, tmp_path: Path, with_data: bool, is_absolute: bool
) -> None:
    gathered.add_code()
    (tmp_path / "far").mkdir()
    (tmp_path / "far/a.csv").write_text("a")
    path = str(tmp_path / "far") if is_absolute else "../../../far"
    bundle = written(gathered, DATA_JOB.replace("DATA", path), with_data=with_data)
    shown = document_of(bundle)["inputs"]["data"]["path"]
    assert (bundle / shown / "a.csv").read_text() == "a"
    assert (bundle / "data").exists() == with_data


def test_refers_to_data_by_a_path_that_works_across_links(
    gathered: Gathered, tmp_path: Path
) -> None:
    gathered.add_code()
    gathered.write("store/deep/sample/a.csv", "a")
    (gathered.repository / "src/exp/near").symlink_to("../../store/deep")
    # The local workspace may be on another disk.
    (tmp_path / "disk/one/two").mkdir(parents=True)
    (gathered.repository / ".azureml").symlink_to(tmp_path / "disk/one/two")
    plan = gathered.plan(DATA_JOB.replace("DATA", "near/sample"))
    bundle = gathered.repository / ".azureml/jobs/.new-x/bundle"
    write_bundle(plan, NOTHING_KNOWN, bundle, gathered.repository, with_data=False)
    final = bundle.parent.parent / "x"
    bundle.parent.rename(final)
    shown = document_of(final / "bundle")["inputs"]["data"]["path"]
    assert (final / "bundle" / shown / "a.csv").read_text() == "a"
    assert ((final / "bundle").resolve() / shown / "a.csv").read_text() == "a"


def test_keeps_the_name_of_data_that_is_a_link(gathered: Gathered) -> None:
    gathered.add_code()
    gathered.write("data/v1.csv", "a")
    (gathered.repository / "data/latest.csv").symlink_to("v1.csv")
    job = DATA_JOB.replace("uri_folder", "uri_file").replace("DATA", "../../data/latest.csv")
    bundle = written(gathered, job)
    assert files_below(bundle / "data") == ["data/latest.csv"]


def test_the_manifest_describes_every_file(gathered: Gathered) -> None:
    gather_everything(gathered)
    bundle = written(gathered, FULL_JOB)
    written_manifest = read_manifest(bundle)
    for part, folder in (("snapshot", "code"), ("environment", "environment")):
        listed = {entry["path"]: entry for entry in written_manifest[part]["files"]}
        assert sorted(listed) == files_below(bundle / folder)
        for path, entry in listed.items():
            content = (bundle / folder / path).read_bytes()
            assert entry["sha256"] == hashlib.sha256(content).hexdigest()
            assert entry["size"] == len(content)
    code = {entry["path"]: entry for entry in written_manifest["snapshot"]["files"]}
    assert code["exp/ü b.py"]["source"] == "src/exp/ü b.py"
    assert code["exp/main.py"]["owner"] == "//src/exp/main.py"
    assert [path for path, entry in code.items() if entry["executable"]] == ["exp/run.sh"]
    environment = {
        entry["path"]: entry["source"] for entry in written_manifest["environment"]["files"]
    }
    assert environment["requirements.txt"] == "3rdparty/a.lock"


def test_the_manifest_describes_where_a_bundle_comes_from(gathered: Gathered) -> None:
    gather_everything(gathered)
    bundle = written(gathered, FULL_JOB, "tags.a=b")
    assert (bundle / "changes.diff").read_bytes() == GIT.diff
    found = read_manifest(bundle)
    assert found["address"] == "src/exp:job"
    assert found["job_file"] == "src/exp/azure-ml-job.yaml"
    assert found["kind"] == "command job"
    (document,) = found["documents"]
    assert document["path"] == found["job_file"]
    assert document["sha256"] == hashlib.sha256(FULL_JOB.encode()).hexdigest()
    assert document["content"]["tags"] == {"a": "b"}
    assert found["overrides"] == ["tags.a=b"]
    assert found["command"].startswith("python -m exp.main --data")
    assert units_of(found)[0]["packages"] == {
        "resolve": "default",
        "lock": "3rdparty/a.lock",
        "lock_sha256": "ab" * 32,
        "requirements": ["numpy"],
        "versions": {"numpy": "2.4.6"},
        "sha256": hashlib.sha256(b"numpy==2.4.6 --hash=sha256:00\n").hexdigest(),
    }
    assert found["git"] == {
        "commit": "c0ffee",
        "is_dirty": True,
        "diff": {"sha256": hashlib.sha256(GIT.diff).hexdigest(), "bytes": len(GIT.diff)},
        "tools_changed": False,
        "problem": None,
    }
    assert found["versions"] == {"tools": TOOLS_VERSION, "pants": "2.17.1"}
    assert found["made"] is None


def test_the_manifest_has_digests_of_data_that_is_here(gathered: Gathered) -> None:
    gather_everything(gathered)
    elsewhere = "  wine: {path: 'azureml:wine@latest'}\n  web: {path: 'https://x.org/a'}\n"
    gone = "  gone: {path: nowhere}\n"
    job = FULL_JOB.replace("environment:", f"{elsewhere}{gone}environment:")
    table, folder, absent, *others = read_manifest(written(gathered, job))["data"]
    assert (table["input"], table["path"], table["bytes"]) == ("table", "data/a b.csv", 4)
    assert (folder["path"], folder["files"], folder["bytes"]) == ("src/exp/größe", 2, 4)
    assert absent["sha256"] is None
    assert others == [
        {"input": "wine", "asset": "azureml:wine@latest"},
        {"input": "web", "uri": "https://x.org/a"},
    ]
    gathered.write("src/exp/größe/2.csv", "3\n")
    assert provenance_of(gathered.plan(job), gathered.repository).data["folder"] != folder["sha256"]


def test_the_manifest_may_have_no_git_state_and_no_environment(gathered: Gathered) -> None:
    gathered.add_code()
    found = manifest(gathered.plan(), NOTHING_KNOWN)
    assert found["git"] is None
    assert found["environment"] == {"reference": "azureml:env:1", "sha256": None, "files": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no such file"),
        ("{", "this is not JSON"),
        ("[]", "None is of another scaffolding"),
        ('{"manifest_version": 1}', "1 is of an older scaffolding"),
        (f'{{"manifest_version": {MANIFEST_VERSION}}}', "`address` is missing"),
    ],
)
def test_refuses_what_is_no_manifest(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(JobError, match=message):
        read_manifest(tmp_path)
    # The file in place of its folder.
    with pytest.raises(JobError, match="there is no such file"):
        read_manifest(tmp_path / "manifest.json")


def test_overwrites_nothing(gathered: Gathered) -> None:
    gathered.add_code()
    written(gathered)
    with pytest.raises(FileExistsError):
        written(gathered)
