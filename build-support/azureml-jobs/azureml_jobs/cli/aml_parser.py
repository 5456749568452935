"""Define the command line of `./pants run :aml -- …`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import DATA_TYPES, MODEL_TYPES
from azureml_jobs.base.version import TOOLS_VERSION
from azureml_jobs.cli.jobs_parser import add_jobs
from azureml_jobs.cli.options import (
    ALLOW,
    JSON,
    Argument,
    ExactParser,
    add_arguments,
    add_command,
    argument,
    count,
    port,
)


def aml_parser() -> argparse.ArgumentParser:
    parser = ExactParser(
        prog="./pants run :aml --",
        description="Manage jobs, data and models in the workspace that config.env names, or on "
        "this machine when it names none.",
    )
    parser.add_argument("--version", action="version", version=TOOLS_VERSION)
    # After Pants has answered, the working folder is the user's.
    parser.add_argument("--repository", type=Path, help=argparse.SUPPRESS)
    # The environment that has matplotlib.
    parser.add_argument("--plot-prefix", help=argparse.SUPPRESS)
    nouns = parser.add_subparsers(
        dest="noun",
        required=True,
        metavar="jobs|ui|why|data|models|components|endpoints|doctor|service",
    )
    add_jobs(nouns.add_parser("jobs", help="jobs that ran or are running"))
    _add_ui(nouns)
    _add_why(nouns)
    data = nouns.add_parser("data", help="data assets: azureml:NAME:VERSION")
    default = "uri_file for a file, else uri_folder"
    _add_assets(data, "data asset", DATA_TYPES, default, "data/NAME/VERSION")
    models = nouns.add_parser("models", help="registered models: azureml:NAME:VERSION")
    _add_assets(models, "registered model", MODEL_TYPES, MODEL_TYPES[0], "the local workspace")
    _add_components(nouns.add_parser("components", help="registered components"))
    _add_endpoints(nouns.add_parser("endpoints", help="online endpoints, which serve models"))
    _add_doctor(nouns)
    _add_service(nouns.add_parser("service", help="a stand-in for Azure ML on this machine"))
    return parser


def _add_doctor(nouns: Any) -> None:
    add_command(
        nouns,
        "doctor",
        "check configuration, sign-in, workspace, computes, storage, registry and versions",
        argument("--deep", "also run a job of three seconds, and read all of it"),
        argument("--compute NAME", "where that job runs (default: the first cluster)"),
    ).set_defaults(command="doctor")


def _add_ui(nouns: Any) -> None:
    add_command(
        nouns,
        "ui",
        "show parameters, metrics and figures in MLflow's own web page",
        argument("NAME", "begin with the curves of this job, or of its trials", nargs="?"),
        argument(
            "--port PORT", "the port on this machine (default: 5000 or a free one)", type=port
        ),
        argument("--no-browser", "only print the address of the page"),
    ).set_defaults(command="ui")


def _add_why(nouns: Any) -> None:
    command = nouns.add_parser(
        "why",
        help="why jobs send a file, or what to write so that one does",
        description="Print the chain from each job's command to the file that it sends. With "
        "`not`, print what to write so that the nearest job sends it.",
        usage="./pants run :aml -- why [not] FILE [JOB] [--json]",
    )
    job = "JOB is an address, such as src/X:job"
    add_arguments(command, argument("[not] FILE [JOB]", job, nargs="+", dest="words"), JSON)


def _add_assets(
    parser: argparse.ArgumentParser, noun: str, types: Sequence[str], default: str, place: str
) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    add_command(commands, "list", f"list {noun}s", JSON)
    noun = noun.removeprefix("registered ")
    add_command(
        commands,
        "register",
        f"register a {noun} from local files or an address",
        ALLOW,
        argument("NAME", f"the name of the {noun}"),
        argument(
            "--path PATH",
            "a file, a folder, or an address: azureml://…, https://… or runs:/JOB/PATH",
            required=True,
        ),
        argument("--version VERSION", "default: the newest one plus 1"),
        argument("--type", f"default: {default}", choices=types),
    )
    asset = "without a version or with @latest, the newest one"
    add_command(
        commands,
        "download",
        f"download a {noun} to {place}, where local runs find it",
        argument("NAME[:VERSION]", asset, dest="asset"),
    )


def _add_components(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    add_command(commands, "list", "list registered components", JSON)
    does = "register the component of a target, as `./pants run ADDRESS` does"
    address = argument("ADDRESS", "of an azureml_component: src/X:NAME")
    add_command(commands, "register", does, address)


def _add_endpoints(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    add_command(commands, "list", "list online endpoints with their URLs and traffic", JSON)
    only = argument("--deployment DEPLOYMENT", "only this one")

    def add(name: str, does: str, *arguments: Argument) -> None:
        add_command(commands, name, does, argument("NAME", "the endpoint's name"), *arguments)

    add(
        "create",
        "serve a registered model, on a new endpoint at first",
        argument("--model MODEL", "azureml:NAME:VERSION or azureml:NAME@latest"),
        argument("--deployment DEPLOYMENT", "its name (default: %(default)s)", default="blue"),
        argument(
            "--file FILE", "the YAML of a deployment, for a model that is not MLflow's", type=Path
        ),
        ALLOW,
        argument("--instance-type SIZE", "default: that in the file, or Standard_DS3_v2"),
        argument("--instance-count N", "default: that in the file, or 1", type=count),
        argument(
            "--auth-mode",
            "how callers of a new endpoint sign in (default: %(default)s)",
            choices=("key", "aml_token", "aad_token"),
            default="key",
        ),
    )
    request = argument("--request FILE", "JSON", type=Path, required=True)
    add("invoke", "send the JSON in a file, and print the answer", request, only)
    add("keys", "print the keys by which callers sign in")
    shares = argument("DEPLOYMENT=PERCENT", None, nargs="+", dest="shares")
    add("traffic", "share the requests among deployments", shares)
    add("delete", "delete an endpoint, or one of its deployments", only)


def _add_service(service: argparse.ArgumentParser) -> None:
    service.description = (
        "Run a stand-in for Azure ML on this machine, which runs the jobs that it receives: until "
        "Ctrl-C, or while COMMAND runs, which finds it by its environment variables."
    )
    add_arguments(
        service,
        argument("--port N", "the port to listen on (default: a free one)", type=port, default=0),
        argument(
            "--python PREFIX",
            "run jobs in this virtual environment (default: one for the packages of each job)",
        ),
        argument("--jobs-at-once N", "default: %(default)s", type=count, default=2),
        argument(
            "--compute NAME",
            "a cluster that jobs may name; may be repeated (default: cpu-cluster and gpu-cluster)",
            many=True,
            dest="computes",
        ),
        argument(
            "COMMAND",
            "after `--`: a command to run meanwhile",
            nargs="*",
            dest="inner_command",
        ),
    )
    service.set_defaults(command="service")
