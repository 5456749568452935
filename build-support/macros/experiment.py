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
    another lock than the default one. `docker` is the folder of the Dockerfile, or None when the job
    file names an environment of Azure ML.
    """
    image = ":env" if docker else None
    experiment_code(job_file, dependencies, local_dependencies, resolve)
    experiment_scripts(local_dependencies, resolve, image)
    if docker:
        experiment_image(docker)
        experiment_in_image(resolve, image)


def experiment_code(job_file, dependencies, local_dependencies, resolve):
    # The code. A job gets only the modules that its command runs, and what these import.
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

    # ./pants run src/X:job
    azureml_job(
        name="job",
        source=job_file,
        dependencies=dependencies,
        resolve=resolve,
    )


def experiment_scripts(local_dependencies, resolve, image):
    # ./pants run src/X:local, with the job's packages
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
    # The build context: the folder of the Dockerfile, and the generated requirements.txt.
    files(
        name="docker",
        sources=[f"{docker}/**/*", f"!{docker}/**/BUILD"],
    )
    locked_requirements(
        name="requirements",
        folder=docker,
        jobs=[":job"],
    )

    # ./pants package src/X:env builds the image X:latest
    docker_image(
        name="env",
        source=f"{docker}/Dockerfile",
        context_root=f"./{docker}",
        dependencies=[":docker", ":requirements"],
    )


def experiment_in_image(resolve, image):
    # ./pants run src/X:test, the tests in the image
    azureml_test(
        name="test",
        dependencies=[":tests"],
        image=image,
        resolve=resolve,
    )

    # ./pants run src/X:jupyter, notebooks in the image
    azureml_jupyter(
        name="jupyter",
        image=image,
    )
