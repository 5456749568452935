"""Options of a run that is submitted: what the job is called, where it goes, what is shown."""

from __future__ import annotations

import argparse


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Short forms of `--set`, for a job on this machine as well."""
    parser.add_argument(
        "--name", metavar="NAME", help="the job's name; again with the same content: the same job"
    )
    parser.add_argument("--experiment-name", metavar="NAME", help="the experiment it belongs to")
    parser.add_argument("--display-name", metavar="TEXT", help="how the studio shows the job")
    parser.add_argument("--compute", metavar="NAME", help="the cluster that runs it")
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="tags",
        help="a tag of the job; may be repeated",
    )


def add_workspace_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that may talk to a workspace in Azure."""
    parser.add_argument(
        "--local", action="store_true", help="use this machine whatever config.env says"
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="the workspace in config.NAME.env, not in config.env"
    )
    parser.add_argument(
        "--login", action="store_true", help="sign in by a browser, if that is needed at all"
    )


def add_submission_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--image",
        action="store_true",
        help="push the image that this machine has built to the workspace's registry, and run the "
        "job in it; else Azure ML builds the environment",
    )
    parser.add_argument("--web", action="store_true", help="open the job in the studio")
    parser.add_argument(
        "--timings", action="store_true", help="tell how long the parts of the submission took"
    )


def as_settings(options: argparse.Namespace) -> list[str]:
    """What `add_job_options` took, as `key.path=value`."""
    settings = []
    for key in ("name", "experiment_name", "display_name"):
        if getattr(options, key) is not None:
            settings.append(f"{key}={getattr(options, key)}")
    if options.compute is not None:
        compute = options.compute
        is_name = ":" not in compute and "/" not in compute
        settings.append(f"compute={'azureml:' if is_name else ''}{compute}")
    for tag in options.tags:
        key, equals, value = tag.partition("=")
        # A dot in a tag's key is no level.
        settings.append(f"tags.{_escaped(key)}{equals}{value}")
    return settings


def _escaped(key: str) -> str:
    return key.replace(".", "\\.")
