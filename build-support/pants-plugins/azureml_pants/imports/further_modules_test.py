from __future__ import annotations

import pytest
from pants.engine.addresses import Address, Addresses
from pants.engine.target import Dependencies, DependenciesRequest
from pants.testutil.rule_runner import RuleRunner


@pytest.mark.parametrize(
    "text",
    [
        "import first, second",
        "import os; import first, second as other",
        "if True: import first, second",
        "def work():\n    import first, \\\n        second\n",
        "import \\\n    first, second\n",
        "import first, second\nmatch = lambda: 1\nnew syntax of a later Python\n",
    ],
)
def test_all_modules_of_a_statement_are_dependencies(rule_runner: RuleRunner, text: str) -> None:
    rule_runner.write_files(
        {
            "src/BUILD": "python_sources()",
            "src/main.py": text,
            "src/first.py": "",
            "src/second.py": "",
        }
    )
    target = rule_runner.get_target(Address("src", relative_file_path="main.py"))
    found = rule_runner.request(Addresses, [DependenciesRequest(target[Dependencies])])
    assert {str(each) for each in found} == {"src/first.py", "src/second.py"}
