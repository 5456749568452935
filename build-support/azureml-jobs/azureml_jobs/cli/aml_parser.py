"""Define the command line of `./pants run :aml -- …`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.base.assets import DATA_TYPES, MODEL_TYPES
from azureml_jobs.base.version import TOOLS_VERSION
from azureml_jobs.cli.jobs_parser import add_jobs
from azureml_jobs.cli.options import ExactParser, add_allow_option, add_command, count, port


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
    _add_data(nouns.add_parser("data", help="data assets: azureml:NAME:VERSION"))
    _add_models(nouns.add_parser("models", help="registered models: azureml:NAME:VERSION"))
    _add_components(nouns.add_parser("components", help="registered components"))
    _add_endpoints(nouns.add_parser("endpoints", help="online endpoints, which serve models"))
    _add_doctor(nouns)
    _add_service(nouns.add_parser("service", help="a stand-in for Azure ML on this machine"))
    return parser


def _add_doctor(nouns: Any) -> None:
    doctor = add_command(
        nouns,
        "doctor",
        "check configuration, sign-in, workspace, computes, storage, registry and versions",
    )
    doctor.set_defaults(command="doctor")
    doctor.add_argument(
        "--deep", action="store_true", help="also run a job of three seconds, and read all of it"
    )
    doctor.add_argument(
        "--compute", metavar="NAME", help="where that job runs (default: the first cluster)"
    )


def _add_ui(nouns: Any) -> None:
    ui = add_command(nouns, "ui", "show parameters, metrics and figures in MLflow's own web page")
    ui.set_defaults(command="ui")
    ui.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="begin with the curves of this job, or of its trials",
    )
    ui.add_argument(
        "--port", type=port, help="the port on this machine (default: 5000 or a free one)"
    )
    ui.add_argument("--no-browser", action="store_true", help="only print the address of the page")


def _add_why(nouns: Any) -> None:
    command = nouns.add_parser(
        "why",
        help="why jobs send a file, or what to write so that one does",
        description="Print the chain from each job's command to the file that it sends. With "
        "`not`, print what to write so that the nearest job sends it.",
        usage="./pants run :aml -- why [not] FILE [JOB] [--json]",
    )
    command.add_argument(
        "words", nargs="+", metavar="[not] FILE [JOB]", help="JOB is an address, such as src/X:job"
    )
    command.add_argument("--json", action="store_true", help="print JSON")


def _add_data(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    _add_list(commands, "list data assets")
    _add_register(commands, "data asset", DATA_TYPES, "uri_file for a file, else uri_folder")
    download = add_command(
        commands, "download", "download a data asset to data/NAME/VERSION, where local runs find it"
    )
    _add_asset(download)


def _add_models(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    _add_list(commands, "list registered models")
    _add_register(commands, "model", MODEL_TYPES, MODEL_TYPES[0])
    download = add_command(
        commands, "download", "download a model to the local workspace, where local runs find it"
    )
    _add_asset(download)


def _add_components(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    _add_list(commands, "list registered components")
    register = add_command(
        commands, "register", "register the component of a target, as `./pants run ADDRESS` does"
    )
    register.add_argument("address", metavar="ADDRESS", help="of an azureml_component: src/X:NAME")


def _add_endpoints(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    _add_list(commands, "list online endpoints with their URLs and traffic")
    create = add_command(commands, "create", "serve a registered model, on a new endpoint at first")
    invoke = add_command(commands, "invoke", "send the JSON in a file, and print the answer")
    keys = add_command(commands, "keys", "print the keys by which callers sign in")
    traffic = add_command(commands, "traffic", "share the requests among deployments")
    delete = add_command(commands, "delete", "delete an endpoint, or one of its deployments")
    for command in (create, invoke, keys, traffic, delete):
        command.add_argument("name", metavar="NAME", help="the endpoint's name")
    create.add_argument(
        "--model", metavar="MODEL", help="azureml:NAME:VERSION or azureml:NAME@latest"
    )
    create.add_argument("--deployment", default="blue", help="its name (default: %(default)s)")
    create.add_argument(
        "--file", type=Path, help="the YAML of a deployment, for a model that is not MLflow's"
    )
    add_allow_option(create)
    create.add_argument(
        "--instance-type", metavar="SIZE", help="default: that in the file, or Standard_DS3_v2"
    )
    create.add_argument(
        "--instance-count", type=count, metavar="N", help="default: that in the file, or 1"
    )
    create.add_argument(
        "--auth-mode",
        choices=("key", "aml_token", "aad_token"),
        default="key",
        help="how callers of a new endpoint sign in (default: %(default)s)",
    )
    invoke.add_argument("--request", type=Path, required=True, metavar="FILE", help="JSON")
    for command in (invoke, delete):
        command.add_argument("--deployment", help="only this one")
    traffic.add_argument("shares", nargs="+", metavar="DEPLOYMENT=PERCENT")


def _add_list(commands: Any, does: str) -> None:
    listing = add_command(commands, "list", does)
    listing.add_argument("--json", action="store_true", help="print JSON")


def _add_register(commands: Any, noun: str, types: Sequence[str], default: str) -> None:
    register = add_command(
        commands, "register", f"register a {noun} from local files or an address"
    )
    add_allow_option(register)
    register.add_argument("name", metavar="NAME", help=f"the name of the {noun}")
    register.add_argument(
        "--path",
        required=True,
        metavar="PATH",
        help="a file, a folder, or an address: azureml://…, https://… or runs:/JOB/PATH",
    )
    register.add_argument("--version", metavar="VERSION", help="default: the newest one plus 1")
    register.add_argument("--type", choices=types, help=f"default: {default}")


def _add_asset(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "asset", metavar="NAME[:VERSION]", help="without a version or with @latest, the newest one"
    )


def _add_service(service: argparse.ArgumentParser) -> None:
    service.description = (
        "Run a stand-in for Azure ML on this machine, which runs the jobs that it receives: until "
        "Ctrl-C, or while COMMAND runs, which finds it by its environment variables."
    )
    service.add_argument(
        "--port",
        type=port,
        default=0,
        metavar="N",
        help="the port to listen on (default: a free one)",
    )
    service.add_argument(
        "--python",
        metavar="PREFIX",
        help="run jobs in this virtual environment (default: one for the packages of each job)",
    )
    service.add_argument(
        "--jobs-at-once", type=count, default=2, metavar="N", help="default: %(default)s"
    )
    service.add_argument(
        "--compute",
        action="append",
        metavar="NAME",
        dest="computes",
        help="a cluster that jobs may name; may be repeated (default: cpu-cluster and gpu-cluster)",
    )
    service.add_argument(
        "inner_command", nargs="*", metavar="COMMAND", help="after `--`: a command to run meanwhile"
    )
    service.set_defaults(command="service")
