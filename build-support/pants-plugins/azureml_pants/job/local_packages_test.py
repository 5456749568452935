from __future__ import annotations

from unittest.mock import Mock

from azureml_jobs.protocol import LockedPackages, PackagesVenv, UnitFiles
from azureml_pants.code.build_folders import ListedPackages
from azureml_pants.environment.packages import InstalledPackages, InstallPackagesRequest
from azureml_pants.job.local_packages import (
    LocalPackages,
    LocalPackagesRequest,
    install_local_packages,
)
from pants.backend.python.dependency_inference.module_mapper import (
    ModuleProvider,
    ModuleProviderType,
    ThirdPartyPythonModuleMapping,
)
from pants.backend.python.target_types import PythonRequirementTarget
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST, Digest, MergeDigests
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks
from pants.util.frozendict import FrozenDict

IMPL, STUB = ModuleProviderType.IMPL, ModuleProviderType.TYPE_STUB
UNITS = tuple(
    UnitFiles(name, (), context, LockedPackages("main", "main.lock", "", (f"of-{name}",)))
    for name, context in [("built", ("docker/Dockerfile",)), ("registered", ())]
)


def install(has_sweep: bool) -> LocalPackages:
    def installed(request: InstallPackagesRequest) -> InstalledPackages:
        names = " ".join(request.requirements) if request.requirements is not None else "all"
        return InstalledPackages(EMPTY_DIGEST, PackagesVenv(f"{request.resolve}: {names}", "seed"))

    packages = [
        PythonRequirementTarget({"requirements": [name]}, Address("", target_name=name))
        for name in ("of-built", "other", "types-other")
    ]
    modules = {
        name: (ModuleProvider(package.address, kind),)
        for name, package, kind in zip(("mine", "other.a", "stubs"), packages, (IMPL, IMPL, STUB))
    }
    return run_rule_with_mocks(
        install_local_packages,
        rule_args=[
            LocalPackagesRequest(UNITS, has_sweep, Mock()),
            ListedPackages(
                tuple(packages),
                ThirdPartyPythonModuleMapping(FrozenDict({"main": FrozenDict(modules)})),
            ),
        ],
        mock_gets=[
            MockGet(InstalledPackages, (InstallPackagesRequest,), installed),
            MockGet(Digest, (MergeDigests,), lambda _: EMPTY_DIGEST),
        ],
    )


def test_a_foreign_environment_has_all_packages_and_ours_what_its_code_imports() -> None:
    packages = install(has_sweep=False)
    venvs = {unit.name: unit.venv.prefix for unit in packages.units if unit.venv}
    assert venvs == {"built": "main: of-built", "registered": "main: all"}
    assert packages.search is None
    # What the first lacks, although the list has it.
    assert [unit.unused_modules for unit in packages.units] == [(("other.a", "//:other"),), ()]


def test_a_sweep_has_the_packages_of_its_search_with_those_of_the_tool() -> None:
    packages = install(has_sweep=True)
    assert [unit.name for unit in packages.units] == ["built", "registered"]
    assert packages.search and packages.search.prefix.startswith("azureml: PyYAML ")
    assert packages.search.prefix.endswith(" optuna scipy")
