"""Define the goal `new-experiment`, which writes an experiment from the template."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from azureml_jobs.base.errors import JobError
from azureml_jobs.experiment.create import ExperimentRequest, create_experiment, experiment_of
from azureml_jobs.experiment.template import PLAIN
from azureml_jobs.locks.lock import locked_projects
from azureml_pants.code.job_fields import AzureMLJobSourceField
from pants.backend.python.dependency_inference.default_module_mapping import DEFAULT_MODULE_MAPPING
from pants.backend.python.dependency_inference.module_mapper import (
    FirstPartyPythonModuleMapping,
    ThirdPartyPythonModuleMapping,
)
from pants.backend.python.subsystems.setup import PythonSetup
from pants.backend.python.target_types import PythonGeneratingSourcesBase
from pants.base.build_root import BuildRoot
from pants.engine.console import Console
from pants.engine.fs import DigestContents, FileContent, PathGlobs, Workspace
from pants.engine.goal import Goal, GoalSubsystem
from pants.engine.rules import Get, MultiGet, goal_rule
from pants.engine.target import AllUnexpandedTargets, Target
from pants.option.option_types import StrOption
from pants.source.filespec import FilespecMatcher
from pants.util.strutil import help_text, softwrap


class NewExperimentSubsystem(GoalSubsystem):
    name = "new-experiment"
    help = help_text("""
        Write a new experiment that runs, is tested and can be packaged as it is.

        Example: `./pants new-experiment --name=my_experiment`, and then
        `./pants run src/my_experiment:job`. `--from` names a template, or an experiment to copy.
        """)

    # `name` itself is the goal's.
    experiment_name = StrOption(
        "--name",
        default=None,
        help=softwrap("""
            The experiment's folder below the source root, e.g. `my_experiment`, or
            `team/my_experiment` for one in a folder with others.

            It is also the name of its Python package: lower-case letters, digits and underscores.
            """),
    )
    origin = StrOption(
        "--from",
        default=PLAIN,
        help=softwrap("""
            What to begin with: a template (`plain`, `scikit-learn`, `pytorch`, or one that your
            team added to build-support/experiment-template/variants), or an experiment to copy
            under the new name, e.g. `src/example_experiment`.
            """),
    )
    source_root = StrOption(
        default="src",
        advanced=True,
        help="Source root of the experiment, relative to the build root.",
    )
    template = StrOption(
        default="build-support/experiment-template",
        advanced=True,
        help="Folder of the template, relative to the build root.",
    )


class NewExperiment(Goal):
    subsystem_cls = NewExperimentSubsystem
    environment_behavior = Goal.EnvironmentBehavior.LOCAL_ONLY


@goal_rule
async def new_experiment(
    console: Console,
    workspace: Workspace,
    build_root: BuildRoot,
    options: NewExperimentSubsystem,
    python_setup: PythonSetup,
) -> NewExperiment:
    third_party, first_party, targets, locks = await MultiGet(
        Get(ThirdPartyPythonModuleMapping),
        Get(FirstPartyPythonModuleMapping),
        Get(AllUnexpandedTargets),
        Get(DigestContents, PathGlobs(sorted(python_setup.resolves.values()))),
    )
    prefix = f"{options.source_root}/"
    experiments = {
        target.address.spec_path.removeprefix(prefix)
        for target in targets
        if target.has_field(AzureMLJobSourceField) and target.address.spec_path.startswith(prefix)
    }
    copied = experiment_of(options.origin, options.source_root)
    contents = await Get(
        DigestContents, PathGlobs([f"{prefix}{copied}/**"] if copied in experiments else [])
    )
    experiments_lock = python_setup.resolves[python_setup.default_resolve]
    request = ExperimentRequest(
        name=options.experiment_name,
        source_root=options.source_root,
        template=options.template,
        taken={
            **required_modules(third_party, python_setup),
            # Of several locks the last one is named: that of the experiments.
            **locked_modules(sorted(locks, key=lambda lock: lock.path == experiments_lock)),
            **modules_elsewhere(first_party, python_setup.default_resolve, options.source_root),
        },
        owners=owners(targets, f"{options.source_root}/{options.experiment_name}/main.py"),
        origin=options.origin,
        experiments=sorted(experiments),
        files={
            file.path.removeprefix(f"{prefix}{copied}/"): (file.content, file.is_executable)
            for file in contents
        },
        lock=experiments_lock.removesuffix(".lock"),
        locked={
            project
            for lock in locks
            if lock.path == experiments_lock
            for project in locked_projects(lock.content.decode(errors="replace"))
        },
    )
    # Without this, the engine would run the goal again when it sees that files have changed.
    workspace.side_effected()
    try:
        console.print_stdout(create_experiment(Path(build_root.path), request))
    except JobError as error:
        console.print_stderr(str(error))
        return NewExperiment(error.status)
    return NewExperiment(0)


def locked_modules(locks: Iterable[FileContent]) -> dict[str, str]:
    """Map the top-level modules of locked packages, as far as Pants knows them, to their lock."""
    return {
        module.partition(".")[0]: lock.path
        for lock in locks
        for project in locked_projects(lock.content.decode(errors="replace"))
        for module in DEFAULT_MODULE_MAPPING.get(project, (project.replace("-", "_"),))
    }


def required_modules(
    mapping: ThirdPartyPythonModuleMapping, python_setup: PythonSetup
) -> dict[str, str]:
    """Map the top-level modules that requirement targets provide to their lock."""
    default = python_setup.default_resolve
    resolves = sorted(
        mapping.resolves_to_modules_to_providers.items(), key=lambda each: each[0] == default
    )
    return {
        module.partition(".")[0]: python_setup.resolves.get(resolve, resolve)
        for resolve, modules in resolves
        for module in modules
    }


def modules_elsewhere(
    mapping: FirstPartyPythonModuleMapping, resolve: str, source_root: str
) -> dict[str, str]:
    """Map the top-level modules below other source roots to their folder."""
    return {
        module.partition(".")[0]: providers[0].addr.spec_path
        for module, providers in mapping.resolves_to_modules_to_providers.get(resolve, {}).items()
        if not f"{providers[0].addr.spec_path}/".startswith(f"{source_root}/")
    }


def owners(targets: Iterable[Target], file: str) -> tuple[str, ...]:
    """Return the targets that would own a Python file that does not exist yet."""
    specs = (
        (target.address, target[PythonGeneratingSourcesBase].filespec)
        for target in targets
        if target.has_field(PythonGeneratingSourcesBase)
    )
    return tuple(
        str(address)
        for address, spec in specs
        if FilespecMatcher(spec["includes"], spec.get("excludes", [])).matches([file])
    )
