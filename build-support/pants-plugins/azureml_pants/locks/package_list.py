"""The target `package_list`: `python_requirements` that refuse what they cannot use."""

from __future__ import annotations

from collections.abc import Iterator

from azureml_jobs.locks.package_list import bad_requirement, read_package_list
from pants.backend.python.macros.common_requirements_rule import _generate_requirements
from pants.backend.python.macros.python_requirements import PythonRequirementsTargetGenerator
from pants.backend.python.pip_requirement import PipRequirement
from pants.backend.python.subsystems.setup import PythonSetup
from pants.engine.rules import collect_rules, rule
from pants.engine.target import GeneratedTargets, GenerateTargetsRequest
from pants.engine.unions import UnionMembership, UnionRule
from pants.util.strutil import softwrap


class PackageListTarget(PythonRequirementsTargetGenerator):
    alias = "package_list"
    help = softwrap("""
        A list of packages: `python_requirements`, except that a line with an option, such as `-r`,
        is an error in place of having no effect, and so is an address from which no image can be
        built, such as `git+https:`.

        Example: `package_list(name="experiments", source="experiments-requirements.txt")`.
        """)


class GeneratePackagesRequest(GenerateTargetsRequest):
    generate_from = PackageListTarget


@rule
async def generate_packages(
    request: GeneratePackagesRequest, union_membership: UnionMembership, python_setup: PythonSetup
) -> GeneratedTargets:
    packages = await _generate_requirements(
        request, union_membership, python_setup, parse_requirements_callback=parse_list
    )
    return GeneratedTargets(request.generator, packages)


def parse_list(content: bytes, path: str) -> Iterator[PipRequirement]:
    for number, line in read_package_list(path, content.decode(errors="replace")):
        try:
            yield PipRequirement.parse(line)
        except ValueError as error:
            # Pants names the line first.
            raise bad_requirement(path, number, line, str(error).rpartition("': ")[2]) from None


def rules():
    return [*collect_rules(), UnionRule(GenerateTargetsRequest, GeneratePackagesRequest)]
