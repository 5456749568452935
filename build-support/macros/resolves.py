# The resolves of experiments in addition to `experiments`: docs/environments.md says how to add one.
OWN_RESOLVES = ()


def locked_packages(*resolves, module_mapping={}):
    """Declare the packages of each resolve, which its `NAME-requirements.txt` lists.

    `module_mapping` is for packages whose modules have another name than Pants would guess.
    """
    for resolve in resolves:
        package_list(
            name=resolve,
            source=f"{resolve}-requirements.txt",
            resolve=resolve,
            module_mapping=module_mapping,
        )


def experiment_packages(module_mapping={}):
    """Declare the packages that experiments may import, for each of their resolves."""
    locked_packages("experiments", *OWN_RESOLVES, module_mapping=module_mapping)


def shared_sources(name, **fields):
    """Declare code for the experiments of every resolve; `fields` are those of `python_sources`.

    Without `sources`, it is the code of the folder and of those below it.
    """
    folder_sources(name=name, **fields)
    for resolve in OWN_RESOLVES:
        folder_sources(name=f"{name}-{resolve}", resolve=resolve, **fields)
