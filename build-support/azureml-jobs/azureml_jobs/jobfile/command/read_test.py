from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from azureml_jobs.conftest import cases
from azureml_jobs.jobfile.command.code import PythonStart, ScriptStart
from azureml_jobs.jobfile.command.read import read_command, read_script


def mark(start: PythonStart | ScriptStart) -> str:
    return "" if start.is_certain else "?"


def found(command: str) -> str:
    """Return what is run (with a question mark where that is uncertain) and named."""
    code = read_command(command)
    return " ".join(
        [
            *(f"{start.kind}{mark(start)}:{start.value}" for start in code.python),
            *(f"other{mark(start)}:{start.name}" for start in code.scripts),
            *(f"file:{name}" for name in code.files),
        ]
    )


@cases(
    "command, expected",
    {
        # Python itself.
        "a module": ("python -m a.b", "module:a.b"),
        "a script": ("python main.py", "script:main.py"),
        "options before a script": ("python3.11 -u -X dev p/x.py", "script:p/x.py"),
        "joined options": ("python -W ignore -um a.b", "module:a.b"),
        "a module in the option itself": ("python -ma.b", "module:a.b"),
        "code in the command": (
            "python -c 'open(\"a.py\")' b.csv",
            'source:open("a.py") file:b.csv',
        ),
        "a path that is not normalised": ("python ./src/../x.py", "script:x.py"),
        "a path that leads upwards": ("python ../other/x.py", "script:../other/x.py"),
        "a folder": ("python pkg/", "script:pkg"),
        "standard input": ("python - < a.py", "script:a.py"),
        "an absolute interpreter": ("/opt/conda/bin/python x.py", "script:x.py"),
        "scripts of the image": ("python /opt/x.py ~/y.py", ""),
        "Python by a variable": ("$PYTHON -m a.b", "module:a.b"),
        "options by a variable": ("python $FLAGS x.py", "script?:x.py"),
        "a script by a variable": ("python $SCRIPT c.yaml", "file:c.yaml"),
        "a script by an input": ("python ${{inputs.s}} c.py", "script?:c.py"),
        "a module by an input": ("python -m ${{inputs.m}} c.py", "script?:c.py"),
        "nothing to run": ("python", ""),
        # Launchers.
        "torchrun": ("torchrun --nproc_per_node=2 t.py", "script:t.py"),
        "a separate value": ("torchrun --nproc_per_node 2 t.py", "script:t.py"),
        "a flag": ("torchrun --nproc_per_node $N --standalone t.py", "script:t.py"),
        "torchrun -m": ("torchrun -m a.b --x c.yaml", "module:a.b file:c.yaml"),
        "a flag after -m": ("torchrun -m --standalone a.b", "module:a.b"),
        "torchrun, no Python": ("torchrun --no-python ./run.sh", "other:run.sh"),
        "torch.distributed.run with a module": (
            "python -m torch.distributed.run --nproc 2 -m a.b",
            "module:torch.distributed.run module:a.b",
        ),
        "torch.distributed.run with a script": (
            "python -m torch.distributed.run --nproc 2 t.py",
            "module:torch.distributed.run script:t.py",
        ),
        "accelerate": (
            "accelerate launch --config_file a.yaml --multi_gpu t.py",
            "script:t.py file:a.yaml",
        ),
        "accelerate with a module": ("accelerate launch -m a.b", "module:a.b"),
        "deepspeed": ("deepspeed t.py --config ds.json", "script:t.py file:ds.json"),
        "mpirun": ("mpirun -np 2 -x FOO python -u t.py", "script:t.py file:FOO"),
        "horovodrun": ("horovodrun -np 4 -H localhost:4 python t.py", "script:t.py file:localhost"),
        "one launcher in another": ("srun --ntasks 2 torchrun t.py", "script:t.py"),
        "coverage": ("coverage run --source=a -m b.c", "module:b.c file:a"),
        # Other programs that run files.
        "streamlit": ("streamlit run app.py --server.port 80", "script:app.py"),
        "papermill": (
            "papermill in.ipynb out.ipynb -f p.yaml",
            "script?:in.ipynb file:out.ipynb file:p.yaml",
        ),
        "an interpreter": ("perl -w t.pl", "other:t.pl"),
        # Shells.
        "a shell script": ("bash run.sh x.csv", "other:run.sh file:x.csv"),
        "an option of the shell": ("bash -x run.sh", "other:run.sh"),
        "a shell script by itself": ("./run.sh", "other:run.sh"),
        "a program that may be built first": ("./train", "other?:train"),
        ".": (". ./env.sh && source venv/activate", "other:env.sh file:venv/activate"),
        "sh -c": ('sh -c "python a.py && python b.py"', "script:a.py script:b.py"),
        "bash -euo -c": ("bash -euo pipefail -c 'python a.py $X'", "script:a.py"),
        "a shell in a shell": ("bash -c \"bash -c 'python a.py'\"", "script:a.py"),
        "eval": ("eval 'python a.py'", "script:a.py"),
        # What surrounds a command.
        "assignments": ("A=1 B=c/d.yaml python x.py", "script:x.py file:c/d.yaml"),
        "env": ("env A=1 python x.py", "script:x.py"),
        "prefixes": ("time exec nohup nice -n 5 python x.py &", "script:x.py"),
        "timeout": ("timeout 60 ./run.sh", "other:run.sh"),
        "a profiler": ("nsys profile -o o.rep python x.py", "script:x.py file:o.rep"),
        "conda run": ("conda run -n e python x.py", "script:x.py file:e"),
        "if": ("if true; then python a.py; else python -m b; fi", "script?:a.py module?:b"),
        "for": ("for f in a.py b.py; do python $f; done", "script?:a.py script?:b.py file:in"),
        "case": ("case $x in -h|--help) python a.py;; *) ;; esac", "script?:a.py"),
        "while": ("while ! python a.py; do sleep 1; done", "script:a.py"),
        "a function": ("f() { python x.py; }; f", "script:x.py"),
        "a function by keyword": ("function f { python x.py; }; f", "script:x.py"),
        "a subshell": ("(python a.py)", "script:a.py"),
        "substituted": (
            'echo $(python a.py) `python b.py` "$(python c.py)" <(python d.py)',
            "script:a.py script:b.py script:c.py script:d.py",
        ),
        "operators": ("python a.py | tee l && python -m b", "script:a.py module:b"),
        "many lines": ("python \\\n  x.py \\\n  --a b # python c.py", "script:x.py file:b"),
        "a comment": ("# python a.py\npython b.py", "script:b.py"),
        "here-document": ("cat <<E > a.txt\npython a.py\nE\npython b.py", "script:b.py"),
        "what is written": ("python x.py > o.txt 2> e.txt", "script:x.py"),
        # Folders.
        "cd": ("cd sub && python x.py ../a.csv", "script:sub/x.py file:a.csv"),
        "cd within": ("(cd sub; python x.py); python y.py", "script:sub/x.py script:y.py"),
        "pushd and popd": ("pushd a; popd; python x.py", "script:x.py"),
        "cd to where only the run knows": ("cd $DIR && python x.py", "script?:x.py"),
        "cd that may not happen": ("if a; then cd b; fi; python x.py", "script?:b/x.py"),
        "cd as the alternative": ("a || cd b; python x.py", "script?:x.py"),
        # Tokens that may be files.
        "values after an equals sign": (
            "python x.py --c=a/b.yaml k=c.json",
            "script:x.py file:a/b.yaml file:c.json",
        ),
        "numbers and words": ("python x.py 0.5 1e-3 b -v --lr 1.0", "script:x.py file:b"),
        "completed later": (
            "python x.py ${{inputs.d}}/a.csv $D/b.csv *.csv",
            "script:x.py file:*.csv",
        ),
        "elsewhere": ("python x.py https://a/b.py azureml:a:1 /a/b.c ~/a.b", "script:x.py"),
        "[[": ("python x.py $[[--o ${{inputs.o}} --c c.json]]", "script:x.py file:c.json"),
        "once each": ("python a.py a.py; cat a.py", "script:a.py"),
        "names": ("python 'my file.py' é.csv", "script:my file.py file:é.csv"),
        "pip": ("pip install -r requirements.txt", "other?:requirements.txt"),
        "text to print": ("echo see a.py", ""),
        "nothing": ("", ""),
    },
)
def test_reads_what_a_command_runs_and_names(command: str, expected: str) -> None:
    assert found(command) == expected


SEARCH_PATHS = [
    pytest.param("python a/b.py", "a", id="a script's own folder"),
    pytest.param("python -m b", ".", id="the working folder for a module"),
    pytest.param("python -c 'import b'", ".", id="the working folder for code"),
    pytest.param("cd s && python -m b", "s", id="the working folder after cd"),
    pytest.param("cd s && python ../t/b.py", "t", id="a script next to the working folder"),
    pytest.param("cd $PWD/s && python -m b", "s", id="an absolute path below the snapshot"),
    pytest.param("S=s; cd $S && python -m b", "s", id="a variable that the command sets"),
    pytest.param("cd ${S:-s} && python -m b", "s", id="a default"),
    pytest.param("cd s; cd -; python -m b", ".", id="cd back"),
    pytest.param("cd /x && python -m b", "", id="a folder of the image"),
    pytest.param("PYTHONPATH=src python a/b.py", "a src", id="PYTHONPATH before the command"),
    pytest.param("PYTHONPATH=src python x; python -m b", ".", id="PYTHONPATH of one command"),
    pytest.param("PYTHONPATH=src; python -m b", ".", id="PYTHONPATH that is not exported"),
    pytest.param("export PYTHONPATH=src && python -m b", ". src", id="export"),
    pytest.param("PYTHONPATH=src; export PYTHONPATH; python -m b", ". src", id="export later"),
    pytest.param("env -u A PYTHONPATH=src python -m b", ". src", id="env"),
    pytest.param("sudo -E PYTHONPATH=src python -m b", ". src", id="sudo"),
    pytest.param(
        "export PYTHONPATH=$PYTHONPATH:./src:${PWD}/lib:$(pwd)/x:..:/y:$Z && python -m b",
        ". src lib x",
        id="many folders",
    ),
    pytest.param(
        "export PYTHONPATH=src && cd s && python -m b", "s s/src", id="where Python starts"
    ),
    pytest.param("export PYTHONPATH=src; bash -c 'python -m b'", ". src", id="a shell within"),
    pytest.param("(export PYTHONPATH=src); python -m b", ".", id="a subshell's own"),
    pytest.param("PYTHONPATH=src python -I a/b.py", "", id="-I"),
    pytest.param("PYTHONPATH=src python -uE a/b.py", "a", id="-E"),
    pytest.param("PYTHONPATH=src python -P a/b.py", "src", id="-P"),
    pytest.param("PYTHONPATH=src python -s a/b.py", "a src", id="-s"),
    pytest.param("pip install -e ./pkg && python -m b", ". pkg pkg/src", id="an own package"),
    pytest.param("python -m pip install '.[x]' && python a/b.py", "a . src", id="the project"),
    pytest.param("uv --directory sub run --with p t.py", "sub sub/src", id="uv's folder"),
    pytest.param("python < a/b.py", ".", id="a script as standard input"),
]


@pytest.mark.parametrize(("command", "expected"), SEARCH_PATHS)
def test_follows_the_search_path_of_python(command: str, expected: str) -> None:
    start = read_command(command).python[-1]
    assert " ".join(name or "." for name in start.search_path) == expected


@pytest.mark.parametrize(("command", "expected"), SEARCH_PATHS)
def test_bash_and_python_agree_on_the_search_path(
    command: str, expected: str, tmp_path: Path
) -> None:
    if any(each in command for each in ("sudo", "pip", "uv")):
        pytest.skip("it needs a program that may be missing")
    root = tmp_path / "root"
    for folder in ("", "a", "s", "t"):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "b.py").write_text(
            "import os, sys\n"
            f"paths = [os.path.relpath(path or '.', {str(root)!r}) for path in sys.path]\n"
            "print(*dict.fromkeys(path for path in paths if not path.startswith('..')))\n"
        )
    (tmp_path / "python").symlink_to(sys.executable)
    printed = subprocess.run(
        ["bash", "-c", command],
        cwd=root,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    ).stdout
    assert "".join(printed.splitlines()[-1:]) == expected


@pytest.mark.parametrize("program", ["pytest", "python -m pytest"])
def test_names_what_pytest_reads_unasked(program: str) -> None:
    code = read_command(f"{program} -q a/b/x.py::test_it c/")
    assert [start.value for start in code.python if start.kind == "script"] == ["a/b/x.py"]
    named = {"conftest.py", "a/conftest.py", "a/b/conftest.py", "c/conftest.py", "c", "pytest.ini"}
    assert named <= set(code.files)


def test_starts_with_the_given_variables() -> None:
    variables = {"PYTHONPATH": "lib:..", "CONFIG": "c.yaml", "DATA": "${{inputs.data}}", "M": "a"}
    code = read_command("cd sub && python -m $M $DATA/x", variables=variables)
    assert code.python == (PythonStart("module", "a", ("sub", "sub/lib", ""), "sub"),)
    assert code.files == ("c.yaml", "a")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cat > x/t.py <<E\nimport a\nE\npython x/t.py", ("import a\n", ("x",))),
        ("cat <<'E' > t.py\nimport $a\nE\npython t.py", ("import $a\n", ("",))),
        ("tee t.py <<-E | cat\n\timport a\n\tE\npython t.py", ("import a\n", ("",))),
        ("python - --x <<E\nx = ${{inputs.x}}\ny = $Y\nE", ("x = _\ny = _\n", ("",))),
        ('python -c "print(\\"$X\\")"', ('print("_")', ("",))),
        ("python <<< 'import a'", ("import a", ("",))),
        (r'echo -e "import a\nb" > t.py; python t.py', ("import a\nb\n", ("",))),
        ("echo import a | python", ("import a\n", ("",))),
        ('X=a; python -c "import $X"', ("import a", ("",))),
    ],
)
def test_reads_the_source_that_is_in_a_command(
    command: str, expected: tuple[str, tuple[str, ...]]
) -> None:
    (start,) = read_command(command).python
    assert start.kind == "source"
    assert (start.value, start.search_path) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "git clone https://x/apex && cd apex && python setup.py install",
            "script?:apex/setup.py file:apex/install",
        ),
        ("git clone -b v1 https://x/a.git && cd a && python -m b", "module?:b"),
        ("git clone https://x/apex && python x.py", "script:x.py"),
        ("wget https://x/t.py && python t.py", "script?:t.py"),
        ("wget -O t.py https://x/y && python t.py", "script?:t.py"),
        ("wget https://x/y.csv && python t.py", "script:t.py"),
        ("tar -xf $X && python t.py", "script?:t.py"),
        (
            "unzip $X -d out && python t.py && python out/t.py",
            "script:t.py script?:out/t.py file:out",
        ),
        ("cp -r a b && python b/t.py", "script?:b/t.py file:a"),
        ("cp ${{inputs.x}}/t.py . && python t.py && python u.py", "script?:t.py script:u.py"),
        ("echo $X > t.py && python t.py", "source:_\n"),
        ("tool > t.py && python t.py", "script?:t.py"),
        (
            "az storage blob download -n x -f t.py && python t.py",
            "script?:t.py file:storage file:blob file:download file:x",
        ),
        ("az login --identity && python t.py", "script:t.py file:login"),
        ("mkdir -p out && pip install x && python t.py", "script:t.py"),
        ("git config --global x y && python t.py", "script:t.py"),
    ],
)
def test_is_uncertain_of_what_the_command_itself_makes(command: str, expected: str) -> None:
    assert found(command) == expected


@cases(
    "command, expected",
    {
        "pip": ("pip install -r r.txt -U data -c c.txt", "other?:r.txt other?:c.txt"),
        "own packages": ("pip install -e . && pip install ./p", "file: file:p"),
        "a folder's package": ("cd sub && pip install .", "file:sub"),
        "no folders": ("pip install git+https://a/b.git ./w.whl", "file:w.whl"),
        "uv pip": (
            "uv pip install -r r.txt",
            "other?:r.txt file:pyproject.toml file:uv.lock file:uv.toml file:README.md",
        ),
        "uv python": ("uv python install 3.11", ""),
        "conda env": ("conda env update -f env.yml", "file:env.yml"),
        "a channel": ("conda install -y -c conda-forge x", "file:conda-forge"),
        "packages of the system": ("apt-get install -y datasets", ""),
        "a word": ("python x.py train 1 0.1", "script:x.py file:train"),
        "what is copied": ("cp -r conf out", "file:conf"),
        "what is made and removed": ("mkdir -p out && rm -r tmp", ""),
        "a pattern": ("cat conf/*.yaml", "file:conf/*.yaml"),
        "braces": ("cat conf/{a,b}.yaml", "file:conf/a.yaml file:conf/b.yaml"),
        "candidates": ("cat conf/${{inputs.x}}.yaml", "file:conf/*.yaml"),
        "a quoted pattern": ("cat 'conf/*.yaml'", ""),
        "a list": ("x --files=a.csv,b.csv", "file:a.csv,b.csv file:a.csv file:b.csv"),
        "an override of Hydra": ("x +db=conf/a.yaml", "file:conf/a.yaml"),
        "Hydra": ("python s/x.py --config-path conf", "script:s/x.py file:conf file:s/conf"),
        "code of Ruby": (
            "ruby -e 'include(\"a.jl\")'",
            'file:include("a.jl") file:include file:a.jl',
        ),
        "Julia": ("julia --project=. a.jl", "other:a.jl file:Project.toml file:Manifest.toml"),
        "values of options": (
            "julia --project=. -t 4 a.jl",
            "other:a.jl file:Project.toml file:Manifest.toml",
        ),
        "Hydra after cd": (
            "cd s; python t/x.py --config-path=conf",
            "script:s/t/x.py file:s/conf file:s/t/conf",
        ),
        "a pattern for the program": ("x a -name '*.py'", "file:a"),
        "paths with a dot": ("x --conf ./a.yaml ./out", "file:a.yaml file:out"),
        "lists": (
            "x --py-files a.zip,b.py @c.txt",
            "file:a.zip,b.py file:a.zip file:b.py file:@c.txt file:c.txt",
        ),
        "wheels": ("pip install dist/*.whl", "file:dist/*.whl"),
        "once each": ("cat ./a.sh; ./a.sh", "other:a.sh"),
        "outside of the snapshot": ("x ../y ../../z", ""),
        "any program": ("docker run i python x.py", "script?:x.py file:run file:i"),
        "a module": ("python x.py --config c/a.py", "script:x.py script?:c/a.py"),
        "an array": ('A=(-u x.py); python "${A[@]}"', "script:x.py"),
        "a command in a variable": ("C='python x.py'; $C", "script:x.py file:python x.py"),
    },
)
def test_names_every_word_that_may_be_a_file(command: str, expected: str) -> None:
    assert found(command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("make train", "`make train` runs commands of a file that is not read"),
        ("python $SCRIPT --x", "`python $SCRIPT --x` runs what is known only when the job runs"),
        ("bash ${{inputs.s}}", "`bash ${{inputs.s}}` runs what is known only when the job runs"),
        ("cp -r . out", "`cp -r . out` names the whole folder, of which not everything is sent"),
        ('eval "$X"', '`eval "$X"` runs what is known only when the job runs'),
        ("a; ${{inputs.c}}", "`${{inputs.c}}` runs what is known only when the job runs"),
        (
            "bash -c 'python \"a'",
            "`bash -c 'python \"a'` runs a text that cannot be read: "
            "the command has a double quote that is never closed",
        ),
    ],
)
def test_warns_of_what_it_cannot_read(command: str, expected: str) -> None:
    assert read_command(command).warnings == (expected,)


@pytest.mark.parametrize("command", ["ls -la .", 'eval "$(conda shell.bash hook)"', "pip list"])
def test_does_not_warn_of_what_runs_nothing(command: str) -> None:
    assert read_command(command).warnings == ()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pip install -r r.txt && python x.py", True),
        ("conda env update -f e.yml", True),
        ("uv run x.py", True),
        ("pip list && python x.py", False),
        ("python x.py", False),
    ],
)
def test_knows_when_the_command_installs_packages(command: str, expected: bool) -> None:
    assert read_command(command).installs_packages is expected


@pytest.mark.parametrize(
    ("text", "folder", "search_path"),
    [
        ("#!/bin/bash\npython x.py", "w", ("w", "lib")),
        ('cd "$(dirname "$0")/.." && python x.py', "", ("", "lib")),
        ('D=$(cd -- "$(dirname "${BASH_SOURCE[0]}")" &> /dev/null && pwd)\ncd $D; python x.py',)
        + ("sh", ("sh", "lib")),
        ('cd "$(realpath "$(dirname "$0")")"\r\npython x.py', "sh", ("sh", "lib")),
    ],
)
def test_reads_a_script_that_looks_for_its_own_folder(
    text: str, folder: str, search_path: tuple[str, ...]
) -> None:
    (script,) = read_command("cd w; PYTHONPATH=../lib bash ../sh/run.sh").scripts
    assert script == ScriptStart("sh/run.sh", "w", ("lib",), is_read=True)
    (start,) = read_script(text, script).python
    assert (start.folder, start.search_path, start.is_certain) == (folder, search_path, True)


def test_reads_a_list_of_requirements() -> None:
    (script,) = read_command("cd w && pip install -r ../req/dev.txt").scripts
    text = (
        "# -r a.txt\nnumpy  # ./b\n-r base.txt\n--constraint=../c.txt\n-e ./pkg\ngit+https://x/y\n"
    )
    code = read_script(text, script)
    assert [start.name for start in code.scripts] == ["req/base.txt", "c.txt"]
    assert code.files == ("w/pkg",)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("python 'a", "single quote that is never closed"),
        ('python "a', "double quote that is never closed"),
        ("a $(b", r"`\$\(` that is never closed"),
        ("a ${b", r"`\$\{` that is never closed"),
        ("a `b", "backtick that is never closed"),
        ("(a", r"`\(` that is never closed"),
    ],
)
def test_refuses_what_cannot_be_split_with_a_plain_sentence(command: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"^the command has a {error}"):
        read_command(command)


@pytest.mark.parametrize("nested", ["$(" * 99 + ")" * 99, "eval " * 99])
def test_reads_by_words_what_is_nested_too_deeply(nested: str) -> None:
    assert "script?:x.py" in found(f"{nested} python x.py")


@pytest.mark.parametrize(
    "command",
    [
        "a <<E\nb",
        "a <<E\n$(\nE",
        "a `'b`",
        "a $(b <<E\n)\nE\n)",
        "a $'b\\'c'",
        "a ${b#\\}}",
        "a ${b:-'}'}",
        'a "${b:-"c d"}"',
        "a # it's",
        "a $((1 + (2)))",
        "((a << 2)); b",
        "a $(case b in c) d;; esac)",
        "a $(case b in\n# )\n'c)') d;; esac)",
        "case a in esac",
        "case a in b|c) d;; (e) f;; esac",
        "a() { b; }; a",
        "function a { b; }",
        "a=(b 'c d')",
        "[[ a =~ ^(b|c)$ ]]",
        "[[ a < b ]] && c",
        "a 2>&1 >&2 {b}>c",
        "a <(b) >(c)",
        "! a",
        "for ((i=0; i<3; i++)); do a; done",
        "a\\\nb",
        "a \\'b",
        "select a in b; do c; done",
        "a & b",
        "a |& b",
        "coproc a",
        "a <<< $b",
        "a ${#b} ${b[@]} ${!b} $# $$ $?",
        "a $",
        'a $"b"',
    ],
)
def test_reads_what_bash_takes(command: str) -> None:
    check = subprocess.run(["bash", "-n", "-c", command], capture_output=True)
    assert check.returncode == 0, check.stderr
    read_command(command)


PIECES = (
    *"python -m a.b x.py ; && || | ( ) $( ` ' \" ${ } ${{inputs.x}} $X $[[ ]]".split(),
    *"<<E E < <( > 2>&1 cd bash -c eval env torchrun --a --b=c if then fi for done".split(),
    *"case { \\ # (( )) mpirun pytest source . / .. ~ * é = A= - -- pushd popd function".split(),
    *(" ", "\n", "\\\n", "\ufdd0", "accelerate launch", "papermill"),
)


def test_does_not_follow_a_value_that_grows_without_end() -> None:
    code = read_command("A=x;" + "A=$A$A;" * 60 + "python $A/y.py")
    assert not code.python
    assert max(map(len, code.files)) < 1000


def test_any_text_is_read_or_refused_as_bash_does() -> None:
    for seed in range(600):
        choice = random.Random(seed)
        pieces = (choice.choice(PIECES) + choice.choice(("", " ")) for _ in range(seed % 25))
        command = "".join(pieces)
        try:
            read_command(command)
        except ValueError as error:
            assert str(error).startswith("the command ")
            if "$[[" in command:
                continue
            text = command.replace("${{inputs.x}}", "_")
            check = subprocess.run(["bash", "-n", "-c", text], capture_output=True)
            assert check.returncode or b"expected" in check.stderr, command
