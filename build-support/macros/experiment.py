def experiment(job_file="azure-ml-job.yaml", dependencies=[], local_dependencies=[], resolve=None):
    """The targets of one experiment's folder.

    `dependencies` are addresses of what the job needs besides that which its code imports, such as
    `:configs`; `local_dependencies` the same for `local.py` and the tests. `resolve` names another
    lock than the default one.
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
        resolve=resolve,
    )

    # ./pants package src/X:env builds the image X:latest, from the folder that the job file names
    files(
        name="docker",
        sources=["docker/**/*", "!docker/**/BUILD"],
    )
    locked_requirements(
        name="requirements",
        folder="docker",
        jobs=[":job"],
    )
    docker_image(
        name="env",
        source="docker/Dockerfile",
        context_root="./docker",
        dependencies=[":docker", ":requirements"],
    )
