def experiment(
    job_file="azure-ml-job.yaml",
    jobs={},
    entry_point=None,
    files=[],
    dependencies=[],
    local="local.py",
    local_files=[],
    local_dependencies=[],
    tests=["**/test_*.py", "**/*_test.py"],
    resolve=None,
    docker="docker",
    **unknown,
):
    """Declare the targets of one experiment, which own all files of its folder.

    `job_file` is that of `:job`. `jobs` are more job files by the name of their target, such as
    `{"sweep": "sweep.yaml"}`, of any kind.

    A job gets what its command and its code import or name. What cannot be seen there is declared:
    `entry_point` is a Python file or module that `:job` runs, such as `train.py`; `files` are globs
    of files that the code opens, such as `["configs/*.yaml"]`; `dependencies` are addresses.

    `local` is the script of `:local`. It and the tests get `local_files` and `local_dependencies`
    in addition to what a job gets. `tests` are globs of the files with tests.

    `resolve` names another lock than the default one. `docker` is the folder of the Dockerfile, or
    None if the job file names an environment of Azure ML.
    """
    if unknown:
        code = experiment.__code__
        valid = ", ".join(code.co_varnames[: code.co_argcount])
        raise ValueError(f"experiment() has no {', '.join(unknown)}. Write one of these: {valid}.")
    check_forms(
        jobs,
        files=files,
        dependencies=dependencies,
        local_files=local_files,
        local_dependencies=local_dependencies,
        tests=tests,
    )
    job_files = {"job": job_file, **jobs}
    dependencies = [*dependencies, *declared_files("job-files", files)]
    local_dependencies = [*local_dependencies, *declared_files("local-files", local_files)]
    image = ":env" if docker else None
    experiment_code(tests, local_dependencies, resolve)
    experiment_files(docker)
    # ./pants run src/X:job
    for name, source in job_files.items():
        azureml_job(
            name=name,
            source=source,
            entry_point=entry_point if name == "job" else None,
            dependencies=dependencies,
            resolve=resolve,
        )
    experiment_scripts(local, local_dependencies, resolve, image)
    if docker:
        experiment_environment(docker, job_files)
        experiment_in_image(resolve, image)


def check_forms(jobs, **lists):
    """Refuse a string, whose letters would each count as an entry."""
    for name, value in lists.items():
        if isinstance(value, str):
            raise ValueError(f'{name} is a list. Write {name}=["{value}"].')
    if not isinstance(jobs, dict):
        raise ValueError('jobs has a name for each. Write jobs={"sweep": "sweep.yaml"}.')


def experiment_code(tests, local_dependencies, resolve):
    """Declare the code. A job gets only the modules that its command runs and that these import."""
    folder_sources(
        name="lib",
        sources=["**/*.py", *(f"!{each}" for each in tests)],
        resolve=resolve,
    )
    # ./pants test src/X::
    folder_tests(
        name="tests",
        sources=tests,
        dependencies=local_dependencies,
        resolve=resolve,
    )


def experiment_files(docker):
    """Declare the other files. A job gets only those that its command or a declaration names."""
    context = [f"!{docker}/**"] if docker else []
    resources(
        name="files",
        sources=["**/*", "!**/*.py", "!**/BUILD", *context],
    )


def declared_files(name, globs):
    """Declare files that code opens, and return the addresses to depend on."""
    if not globs:
        return []
    resources(name=name, sources=globs)
    return [f":{name}"]


def experiment_scripts(local, local_dependencies, resolve, image):
    """Declare what runs on this machine next to the job, with the packages that the job has."""
    # ./pants run src/X:local
    azureml_local(
        name="local",
        entry_point=local,
        dependencies=[":job", *local_dependencies],
        image=image,
        resolve=resolve,
    )
    # ./pants run src/X:terminal, a shell where the local script would run
    azureml_terminal(
        name="terminal",
        dependencies=[":local"],
        image=image,
        resolve=resolve,
    )
    # ./pants run src/X:jupyter
    azureml_jupyter(
        name="jupyter",
        image=image,
        resolve=resolve,
    )


def experiment_environment(docker, job_files):
    """Declare the image of the environment: ./pants package src/X:env builds X:latest."""
    image_context(
        name="docker",
        sources=[f"{docker}/**/*", f"!{docker}/**/BUILD"],
    )
    locked_requirements(
        name="requirements",
        folder=docker,
        jobs=[f":{name}" for name in job_files],
    )
    experiment_image(
        name="env",
        source=f"{docker}/Dockerfile",
        context_root=f"./{docker}",
        dependencies=[":docker", ":requirements"],
    )


def experiment_in_image(resolve, image):
    """Declare what runs in the image only."""
    # ./pants run src/X:test
    azureml_test(
        name="test",
        dependencies=[":tests"],
        image=image,
        resolve=resolve,
    )
