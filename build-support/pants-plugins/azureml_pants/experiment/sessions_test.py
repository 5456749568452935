"""Test that Pants reads BUILD files again only when they, or variables, have changed."""

from __future__ import annotations

import pytest
from azureml_pants.conftest import OPTIONS
from pants.engine.internals.parser import Parser
from pants.engine.target import AllTargets, Tags
from pants.testutil.rule_runner import RuleRunner


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the BUILD files that are read from now on."""
    found: list[str] = []
    parse = Parser.parse

    def record(parser: Parser, path: str, *arguments):
        found.append(path)
        return parse(parser, path, *arguments)

    monkeypatch.setattr(Parser, "parse", record)
    return found


def tags(rule_runner: RuleRunner, **variables: str) -> tuple[str, ...] | None:
    """Return the tags of the only target in a command with these environment variables."""
    rule_runner.set_options(OPTIONS, env=variables, env_inherit={"PATH"})
    (target,) = [
        each for each in rule_runner.request(AllTargets, []) if each.address.target_name == "a"
    ]
    return target[Tags].value


def test_reads_build_files_again_only_for_other_variables(
    rule_runner: RuleRunner, read: list[str]
) -> None:
    rule_runner.write_files({"src/BUILD": "target(name='a', tags=[env('TAG')])"})
    started = "PANTSD_RUNTRACKER_CLIENT_START_TIME"
    assert tags(rule_runner, A="1", TAG="first", **{started: "1"}) == ("first",)
    assert read == ["src/BUILD"]
    assert tags(rule_runner, TAG="first", A="1", **{started: "2"}) == ("first",)
    assert read == ["src/BUILD"]
    assert tags(rule_runner, TAG="second", A="1", **{started: "3"}) == ("second",)
    rule_runner.write_files({"src/BUILD": "target(name='a', tags=['third'])"})
    assert tags(rule_runner, TAG="second", A="1", **{started: "4"}) == ("third",)
    assert read == ["src/BUILD"] * 3
