from __future__ import annotations

import random

import pytest
from azureml_jobs.jobfile.command.read import entry_points


def found(command: str) -> str:
    return " ".join(f"{entry.kind}:{entry.value}" for entry in entry_points(command))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        # Python itself.
        pytest.param("python -m a.b", "module:a.b", id="a module"),
        pytest.param("python main.py", "script:main.py", id="a script"),
        pytest.param("python3.11 -u -X dev p/x.py", "script:p/x.py", id="options before a script"),
        pytest.param("python -W ignore -um a.b", "module:a.b", id="joined options"),
        pytest.param("python -ma.b", "module:a.b", id="a module in the option itself"),
        pytest.param("python -c 'open(\"a.py\")' b.csv", "file:b.csv", id="code in the command"),
        pytest.param("python ./src/../x.py", "script:x.py", id="a path that is not normalised"),
        pytest.param(
            "python ../other/x.py", "script:../other/x.py", id="a path that leads upwards"
        ),
        pytest.param("python pkg/", "script:pkg/__main__.py", id="a folder"),
        pytest.param("python - < a.py", "file:a.py", id="standard input"),
        pytest.param("/opt/conda/bin/python x.py", "script:x.py", id="an absolute interpreter"),
        pytest.param("python /opt/x.py ~/y.py", "", id="scripts of the image"),
        pytest.param("$PYTHON -m a.b", "module:a.b", id="Python by a variable"),
        pytest.param("python $FLAGS x.py", "script:x.py", id="options by a variable"),
        pytest.param("python $SCRIPT c.yaml", "file:c.yaml", id="a script by a variable"),
        pytest.param("python ${{inputs.s}} c.py", "file:c.py", id="a script by an input"),
        pytest.param("python -m ${{inputs.m}} c.py", "file:c.py", id="a module by an input"),
        pytest.param("python", "", id="nothing to run"),
        # Launchers.
        pytest.param("torchrun --nproc_per_node=2 t.py", "script:t.py", id="torchrun"),
        pytest.param("torchrun --nproc_per_node 2 t.py", "script:t.py", id="a separate value"),
        pytest.param("torchrun --nproc_per_node $N --standalone t.py", "script:t.py", id="a flag"),
        pytest.param("torchrun -m a.b --x c.yaml", "module:a.b file:c.yaml", id="torchrun -m"),
        pytest.param("torchrun -m --standalone a.b", "module:a.b", id="a flag after -m"),
        pytest.param("torchrun --no-python ./run.sh", "script:run.sh", id="torchrun, no Python"),
        pytest.param(
            "python -m torch.distributed.run --nproc 2 -m a.b",
            "module:torch.distributed.run module:a.b",
            id="torch.distributed.run with a module",
        ),
        pytest.param(
            "python -m torch.distributed.run --nproc 2 t.py",
            "module:torch.distributed.run script:t.py",
            id="torch.distributed.run with a script",
        ),
        pytest.param(
            "accelerate launch --config_file a.yaml --multi_gpu t.py",
            "file:a.yaml script:t.py",
            id="accelerate",
        ),
        pytest.param("accelerate launch -m a.b", "module:a.b", id="accelerate with a module"),
        pytest.param("deepspeed t.py --config ds.json", "script:t.py file:ds.json", id="deepspeed"),
        pytest.param("mpirun -np 2 -x FOO python -u t.py", "script:t.py", id="mpirun"),
        pytest.param("horovodrun -np 4 -H localhost:4 python t.py", "script:t.py", id="horovodrun"),
        pytest.param("srun --ntasks 2 torchrun t.py", "script:t.py", id="one launcher in another"),
        pytest.param("coverage run --source=a -m b.c", "module:b.c", id="coverage"),
        # Other programs that run files.
        pytest.param("streamlit run app.py --server.port 80", "script:app.py", id="streamlit"),
        pytest.param("pytest -v tests/x.py::test_a", "script:tests/x.py", id="pytest"),
        pytest.param(
            "pytest --ignore y.py tests/", "file:y.py file:tests", id="pytest on a folder"
        ),
        pytest.param("python -m pytest x.py", "module:pytest script:x.py", id="pytest as a module"),
        pytest.param(
            "papermill in.ipynb out.ipynb -f p.yaml", "script:in.ipynb file:p.yaml", id="papermill"
        ),
        pytest.param("Rscript --vanilla t.R", "script:t.R", id="Rscript"),
        # Shells.
        pytest.param("bash run.sh x.csv", "script:run.sh file:x.csv", id="a shell script"),
        pytest.param("bash -x run.sh", "script:run.sh", id="an option of the shell"),
        pytest.param("./run.sh", "script:run.sh", id="a shell script by itself"),
        pytest.param("./train", "file:train", id="a program that may be built first"),
        pytest.param(
            ". ./env.sh && source venv/activate", "script:env.sh file:venv/activate", id="."
        ),
        pytest.param('sh -c "python a.py && python b.py"', "script:a.py script:b.py", id="sh -c"),
        pytest.param("bash -euo pipefail -c 'python a.py $X'", "script:a.py", id="bash -euo -c"),
        pytest.param("bash -c \"bash -c 'python a.py'\"", "script:a.py", id="a shell in a shell"),
        pytest.param("eval 'python a.py'", "script:a.py", id="eval"),
        # What surrounds a command.
        pytest.param("A=1 B=c/d.yaml python x.py", "file:c/d.yaml script:x.py", id="assignments"),
        pytest.param("env A=1 python x.py", "script:x.py", id="env"),
        pytest.param("time exec nohup nice -n 5 python x.py &", "script:x.py", id="prefixes"),
        pytest.param("timeout 60 ./run.sh", "script:run.sh", id="timeout"),
        pytest.param(
            "nsys profile -o o.rep python x.py", "file:o.rep script:x.py", id="a profiler"
        ),
        pytest.param("conda run -n e python x.py", "script:x.py", id="conda run"),
        pytest.param(
            "if true; then python a.py; else python -m b; fi", "script:a.py module:b", id="if"
        ),
        pytest.param("for f in a.py b.py; do python $f; done", "file:a.py file:b.py", id="for"),
        pytest.param("case $x in a) python a.py;; esac", "script:a.py", id="case"),
        pytest.param("while ! python a.py; do sleep 1; done", "script:a.py", id="while"),
        pytest.param("f() { python x.py; }; f", "script:x.py", id="a function"),
        pytest.param("function f { python x.py; }; f", "script:x.py", id="a function by keyword"),
        pytest.param("(python a.py)", "script:a.py", id="a subshell"),
        pytest.param(
            'echo $(python a.py) `python b.py` "$(python c.py)" <(python d.py)',
            "script:a.py script:b.py script:c.py script:d.py",
            id="substituted",
        ),
        pytest.param("python a.py | tee l && python -m b", "script:a.py module:b", id="operators"),
        pytest.param("python \\\n  x.py \\\n  --a b # python c.py", "script:x.py", id="many lines"),
        pytest.param("# python a.py\npython b.py", "script:b.py", id="a comment"),
        pytest.param(
            "cat <<E > a.txt\npython a.py\nE\npython b.py", "script:b.py", id="here-document"
        ),
        pytest.param("python x.py > o.txt 2> e.txt", "script:x.py", id="what is written"),
        # Folders.
        pytest.param("cd sub && python x.py ../a.csv", "script:sub/x.py file:a.csv", id="cd"),
        pytest.param(
            "(cd sub; python x.py); python y.py", "script:sub/x.py script:y.py", id="cd within"
        ),
        pytest.param("pushd a; popd; python x.py", "script:x.py", id="pushd and popd"),
        pytest.param("cd $DIR && python x.py", "file:x.py", id="cd to where only the run knows"),
        pytest.param("if a; then cd b; fi; python x.py", "file:x.py", id="cd that may not happen"),
        pytest.param("a || cd b; python x.py", "file:x.py", id="cd as the alternative"),
        # Tokens that may be files.
        pytest.param(
            "python x.py --c=a/b.yaml k=c.json",
            "script:x.py file:a/b.yaml file:k=c.json file:c.json",
            id="values after an equals sign",
        ),
        pytest.param("python x.py 0.5 1e-3 b -v --lr 1.0", "script:x.py", id="numbers and words"),
        pytest.param(
            "python x.py ${{inputs.d}}/a.csv $D/b.csv *.csv", "script:x.py", id="completed later"
        ),
        pytest.param(
            "python x.py https://a/b.py azureml:a:1 /a/b.c ~/a.b", "script:x.py", id="elsewhere"
        ),
        pytest.param(
            "python x.py $[[--o ${{inputs.o}} --c c.json]]", "script:x.py file:c.json", id="[["
        ),
        pytest.param("python a.py a.py; cat a.py", "script:a.py", id="once each"),
        pytest.param("python 'my file.py' é.csv", "script:my file.py file:é.csv", id="names"),
        pytest.param("pip install -r requirements.txt", "file:requirements.txt", id="pip"),
        pytest.param("echo see a.py", "", id="text to print"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_reads_what_a_command_runs_and_names(command: str, expected: str) -> None:
    assert found(command) == expected


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("python 'a", "single quote that is never closed"),
        ("bash -c 'python \"a'", "double quote that is never closed"),
        ("a $(b", r"`\$\(` that is never closed"),
        ("a ${b", r"`\$\{` that is never closed"),
        ("a `b", "backtick that is never closed"),
        ("(a", r"`\(` that is never closed"),
        ("$(" * 100, "nested too deeply"),
        ("env " * 200, "nested too deeply"),
        ("eval " * 99, "nested too deeply"),
    ],
)
def test_refuses_what_cannot_be_split_with_a_plain_sentence(command: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"^the command (has a|is) {error}"):
        entry_points(command)


PIECES = (
    *"python -m a.b x.py ; && || | ( ) $( ` ' \" ${ } ${{inputs.x}} $X $[[ ]]".split(),
    *"<<E E < <( > 2>&1 cd bash -c eval env torchrun --a --b=c if then fi for done".split(),
    *"case { \\ # (( )) mpirun pytest source . / .. ~ * é = A= - -- pushd popd function".split(),
    *(" ", "\n", "\\\n", "\0", "\ufdd0", "accelerate launch", "papermill"),
)


def test_any_text_is_read_or_refused_with_a_plain_sentence() -> None:
    for seed in range(3000):
        choice = random.Random(seed)
        pieces = (choice.choice(PIECES) + choice.choice(("", " ")) for _ in range(seed % 25))
        command = "".join(pieces)
        try:
            entry_points(command)
        except ValueError as error:
            assert str(error).startswith("the command ")
