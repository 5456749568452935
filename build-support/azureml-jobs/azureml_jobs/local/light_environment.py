"""Lay an environment over that of the Python which runs this file, for what pip installs.

Both runtimes run it by the Python of the job: it can be older than ours, and has no packages of
ours. Arguments are the new folder, and `pip` if pip should be there in any case.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import shlex
import shutil
import site
import sys
import sysconfig

_IS_VIRTUAL = sys.prefix != sys.base_prefix
_INTERPRETER = re.compile(rb'"(/[^"\n]+)/python[\d.]*"|(/\S+)/python[\d.]*')
_SCRIPT = "#!/bin/sh\n'''exec' %s \"$0\" \"$@\"\n' '''\n"
_PIP = (
    "import sys\nfrom runpy import run_module\nsys.exit(run_module('pip', run_name='__main__'))\n"
)


def make_environment(folder: str, with_pip: bool) -> None:
    """Make it in `folder`. What it is laid over stays as it is, whatever pip does."""
    # Not at the top: images can be without it, where it is not needed.
    import venv

    venv.EnvBuilder(symlinks=True).create(folder)
    (packages,) = glob.glob(os.path.join(glob.escape(folder), "lib", "python*", "site-packages"))
    # Lines that begin with `import` are run, so that `.pth` files in these folders count, too.
    lines = ["import site; site.addsitedir(%r)" % path for path in site.getsitepackages()]
    wheels = pip_wheels() if with_pip and importlib.util.find_spec("pip") is None else []
    with open(os.path.join(packages, "_base.pth"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines + wheels) + "\n")
    head = (_SCRIPT % shlex.quote(os.path.join(folder, "bin", "python"))).encode()
    if with_pip:
        for each in ("pip", "pip3"):
            _write_script(os.path.join(folder, "bin", each), head + _PIP.encode())
    _copy_scripts(os.path.join(sys.prefix, "bin"), os.path.join(folder, "bin"), head)
    for each in ("share", "etc"):
        source = os.path.join(sys.prefix, each)
        if _IS_VIRTUAL and os.path.isdir(source):
            # Of links to files: pip may add files, and replaces a link that it writes to.
            shutil.copytree(source, os.path.join(folder, each), copy_function=os.symlink)


def pip_wheels() -> list[str]:
    """Return the wheel of pip that Python has for `ensurepip`; it can be imported as it is."""
    folder = os.path.join(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")
    # Debian has it elsewhere.
    folder = sysconfig.get_config_var("WHEEL_PKG_DIR") or folder
    return glob.glob(os.path.join(folder, "pip-*.whl"))[-1:]


def _copy_scripts(source: str, target: str, head: bytes) -> None:
    """Copy the scripts that Python runs, such as `torchrun`, for the Python in `target`."""
    for name in os.listdir(source):
        path = os.path.join(source, name)
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            content = file.read()
        lines = content.split(b"\n", 3)
        count = 3 if lines[0] == b"#!/bin/sh" and len(lines) > 3 else 1
        found = _INTERPRETER.search(b"\n".join(lines[:count]))
        if not content.startswith(b"#!") or found is None:
            continue
        folder = os.fsdecode(found.group(1) or found.group(2))
        if os.path.realpath(folder) == os.path.realpath(source):
            _write_script(os.path.join(target, name), head + b"\n".join(lines[count:]))


def _write_script(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o755)


if __name__ == "__main__":
    # In a container pip makes do with the folder `PYTHONUSERBASE`, unless its Python is that of a
    # virtual environment.
    is_here = "pip" in sys.argv[2:]
    if is_here or _IS_VIRTUAL:
        make_environment(sys.argv[1], with_pip=is_here)
