def experiment(
    job_file="azure-ml-job.yaml",
    dependencies=[],
    local_dependencies=[],
    resolve=None,
    docker="docker",
):
    """The targets of one experiment's folder.

    `dependencies` are addresses of what the job needs besides that which its code imports, such as
    `:configs`; `local_dependencies` the same for `local.py` and the tests. `resolve` names another
    lock than the default one. `docker` is the folder of the Dockerfile, None when the job file names
    an environment of Azure ML.
    """
    # The code. A job gets only the modules that its command runs and that these import.
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

    # ./pants run src/X:local, with the packages that the job has
    azureml_local(
        name="local",
        entry_point="local.py",
        dependencies=[":job", *local_dependencies],
        image=":env" if docker else None,
        resolve=resolve,
    )

    # ./pants run src/X:terminal, a shell where local.py would run
    azureml_terminal(
        name="terminal",
        dependencies=[":local"],
        image=":env" if docker else None,
        resolve=resolve,
    )

    if docker is None:
        return

    # ./pants package src/X:env builds the image X:latest
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

    # ./pants run src/X:test, the tests in that image
    azureml_test(
        name="test",
        dependencies=[":tests"],
        image=":env",
        resolve=resolve,
    )

    # ./pants run src/X:jupyter, notebooks in that image
    azureml_jupyter(
        name="jupyter",
        image=":env",
    )
