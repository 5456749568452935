def experiment(
    job_file="azure-ml-job.yaml",
    dependencies=[],
    local_dependencies=[],
    resolve=None,
    docker="docker",
):
    """Declare the targets of one experiment's folder.

    `dependencies` are addresses of what the job needs in addition to what its code imports, such as
    `:configs`; `local_dependencies` are the same for `local.py` and the tests. `resolve` names
    another lock than the default one. `docker` is the folder of the Dockerfile, or None if the job
    file names an environment of Azure ML.
    """
    image = ":env" if docker else None
    experiment_code(local_dependencies, resolve)
    # ./pants run src/X:job
    azureml_job(
        name="job",
        source=job_file,
        dependencies=dependencies,
        resolve=resolve,
    )
    experiment_scripts(local_dependencies, resolve, image)
    if docker:
        experiment_image(docker)
        experiment_in_image(resolve, image)


def experiment_code(local_dependencies, resolve):
    """Declare the code. A job gets only the modules that its command runs and that these import."""
    python_sources(
        name="lib",
        sources=["**/*.py", "!tests/**/test_*.py"],
        resolve=resolve,
    )
    # ./pants test src/X::
    python_tests(
        name="tests",
        sources=["tests/**/test_*.py"],
        dependencies=local_dependencies,
        resolve=resolve,
    )


def experiment_scripts(local_dependencies, resolve, image):
    """Declare what runs on this machine next to the job, with the packages that the job has."""
    # ./pants run src/X:local
    azureml_local(
        name="local",
        entry_point="local.py",
        dependencies=[":job", *local_dependencies],
        image=image,
        resolve=resolve,
    )
    # ./pants run src/X:terminal, a shell where local.py would run
    azureml_terminal(
        name="terminal",
        dependencies=[":local"],
        image=image,
        resolve=resolve,
    )


def experiment_image(docker):
    """Declare the image of the environment: ./pants package src/X:env builds X:latest."""
    files(
        name="docker",
        sources=[f"{docker}/**/*", f"!{docker}/**/BUILD"],
    )
    locked_requirements(
        name="requirements",
        folder=docker,
        jobs=[":job"],
    )
    docker_image(
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
    # ./pants run src/X:jupyter
    azureml_jupyter(
        name="jupyter",
        image=image,
    )
