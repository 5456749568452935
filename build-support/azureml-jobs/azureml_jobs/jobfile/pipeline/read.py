"""Read a pipeline: its steps with all that holds for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from azureml_jobs.base.errors import JobError
from azureml_jobs.jobfile.documents import Documents, mapping_of, texts_of
from azureml_jobs.jobfile.pipeline.bindings import Scope, parent_name
from azureml_jobs.jobfile.pipeline.components import Components, Definition, FindComponent
from azureml_jobs.jobfile.pipeline.declarations import (
    check_optional,
    given_inputs,
    inferred,
    input_declarations,
    output_declaration,
    output_declarations,
)
from azureml_jobs.jobfile.pipeline.model import (
    Binding,
    InputDeclaration,
    OutputDeclaration,
    Pipeline,
    Settings,
    Step,
    StepOutput,
)
from azureml_jobs.jobfile.units import code_units

# What is read by itself, or has another scope.
_READ_APART = frozenset(("inputs", "outputs", "component", "trial", "jobs", "command"))
_NAMED_STEP = re.compile(r"\$\{\{\s*parent\.jobs\.([^.\s}]+)")
# What a step names there comes after it, or is in a pipeline of its own.
_NOT_BEFORE = frozenset(("true_block", "false_block", "body", "mapping", "component", "jobs"))


def read_pipeline(
    documents: Documents, job_file: str, find_component: FindComponent = lambda _: None
) -> Pipeline:
    """Return the pipeline job that the job file is, with the pipelines inside of it.

    find_component: returns the document of a registered component by `azureml:NAME:VERSION`, None
        where it knows none.

    Raises `JobError` for values that the declarations do not allow, for bindings that name nothing
    and for steps that wait for each other.
    """
    units = code_units(documents, job_file)
    names = {(unit.document, unit.keys, unit.has_code): unit.name for unit in units}
    components = Components(documents, names, find_component)
    job = documents[job_file]
    definition = components.definition(job_file, (), job)
    given = given_inputs(job, job_file, (), definition.declared)
    return _pipeline(components, definition, job, given)


def _pipeline(
    components: Components,
    definition: Definition,
    node: Mapping[str, Any],
    given: Mapping[str, Binding],
) -> Pipeline:
    """Return the pipeline of a definition; `node` is the job or the step that runs it."""
    # A job that runs itself has inputs of the types of their values.
    declared = input_declarations(definition.value.get("inputs"))
    outputs = output_declarations(definition.value.get("outputs"))
    for name, value in mapping_of(node.get("outputs")).items():
        outputs[name] = output_declaration(value, outputs.get(name), name in outputs)
    written = [
        (replace(step, outputs=runs.outputs(step, outputs)), runs)
        for step, runs in components.steps(definition)
    ]
    scope = Scope(
        {**dict.fromkeys(declared), **given},
        {
            step.name: step.outputs if runs.knows_outputs(step.kind) else None
            for step, runs in written
        },
    )
    steps = [_step(components, step, runs, scope, declared) for step, runs in written]
    settings = _settings(mapping_of(node.get("settings")))
    where = f"{definition.document}: {'.'.join((*definition.keys, 'jobs'))}"
    return Pipeline(
        steps=_in_order(steps, settings, where),
        inputs=declared,
        given=given,
        outputs=_outputs(outputs, steps),
        settings=settings,
    )


def _step(
    components: Components,
    step: Step,
    runs: Definition,
    scope: Scope,
    outer: Mapping[str, InputDeclaration],
) -> Step:
    """Return a step of a pipeline whose inputs are `outer`, and have the values in the scope."""
    value, declared = step.node, runs.declared
    check_optional(value, step.where, declared, outer)
    given = given_inputs(value, step.document, step.keys, declared, scope)
    own = {key: each if key in _READ_APART else scope.replaced(each) for key, each in value.items()}
    is_pipeline = step.kind == "pipeline" and bool(runs.value)
    before = {key: each for key, each in value.items() if key not in _NOT_BEFORE}
    named = [name for _, text in texts_of(before) for name in _NAMED_STEP.findall(text)]
    return replace(
        step,
        node=runs.merged(own),
        declared=declared or inferred(value, given, outer, scope),
        inputs=given,
        pipeline=_pipeline(components, runs, value, given) if is_pipeline else None,
        after=tuple(dict.fromkeys(named)),
    )


def _outputs(
    outputs: Mapping[str, OutputDeclaration], steps: Iterable[Step]
) -> dict[str, StepOutput]:
    found = {}
    for step in steps:
        for name, value in mapping_of(step.node.get("outputs")).items():
            parent = parent_name(value, "outputs")
            if parent in outputs:
                found[parent] = StepOutput(step.name, name)
    return found


def _settings(written: Mapping[str, Any]) -> Settings:
    values = {name: written.get(name) for name in Settings.__dataclass_fields__}
    return Settings(**{name: value for name, value in values.items() if value is not None})


def _in_order(steps: Iterable[Step], settings: Settings, where: str) -> tuple[Step, ...]:
    """Return the steps so that each comes after those that it needs, otherwise as they are.

    That of `on_init` is before all, that of `on_finalize` after all. Raises `JobError` for steps
    that wait for each other.
    """
    by_name = {step.name: step for step in steps}
    ends = (settings.on_init, settings.on_finalize)
    for name, step in by_name.items():
        after = [each for each in step.after if each in by_name]
        if settings.on_init in by_name and name not in ends:
            after.insert(0, settings.on_init)
        if name == settings.on_finalize:
            after = [each for each in by_name if each != name]
        by_name[name] = replace(step, after=tuple(dict.fromkeys(after)))
    try:
        TopologicalSorter({name: step.after for name, step in by_name.items()}).prepare()
    except CycleError as error:
        what = f"these steps wait for each other: {' → '.join(reversed(error.args[1]))}"
        raise JobError(where, what, "Remove one of the bindings.") from None
    ordered: list[Step] = []
    while by_name:
        ready = (step for step in by_name.values() if by_name.keys().isdisjoint(step.after))
        ordered.append(by_name.pop(next(ready).name))
    return tuple(ordered)
