"""Make a Python process wait for a debugger before it runs its program.

This file imports nothing of ours: a copy of it, next to `settings.json`, comes first on the
PYTHONPATH of a run that is debugged, and runs on whatever Python the run has.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import time
from importlib.machinery import PathFinder
from typing import Any

# Set in a process that is debugged. Its children do not wait, because debugpy follows them.
_DEBUGGED = "AZUREML_JOBS_DEBUGGED"
# The process before this one may still be reporting its end to the debugger.
_PORT_SECONDS = 5.0


class _MappedFiles:
    """Maps files of the run's copy to those of the repository, in pydevd, debugpy's engine.

    A debugger may map further folders (`pathMappings`); ours come first.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        # The server is the Python process, the client is the editor.
        self._to_server = settings["files"]
        self._to_client = {copy: source for source, copy in settings["files"].items()}
        self._folders = [tuple(each) for each in settings["folders"]]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Change one module when it is imported, as a finder of `sys.meta_path`."""
        if name != "pydevd_file_utils":
            return None
        sys.meta_path.remove(self)
        spec: Any = importlib.util.find_spec(name)
        if spec is not None:
            execute = spec.loader.exec_module

            def execute_and_change(module: Any) -> None:
                execute(module)
                self._change(module)

            spec.loader.exec_module = execute_and_change
        return spec

    def _change(self, module: Any) -> None:
        set_up = module.setup_client_server_paths

        def set_up_with_ours(paths: Any) -> None:
            others = [pair for pair in map(tuple, paths) if pair not in self._folders]
            set_up([*others, *self._folders])
            to_server, to_client = module.map_file_to_server, module.map_file_to_client

            def map_file_to_server(name: str) -> Any:
                return self._to_server.get(os.path.normpath(name)) or to_server(name)

            def map_file_to_client(name: str) -> Any:
                source = self._to_client.get(os.path.abspath(name))
                return (source, True) if source else to_client(name)

            module.map_file_to_server = map_file_to_server
            module.map_file_to_client = map_file_to_client

        module.setup_client_server_paths = set_up_with_ours
        set_up_with_ours(module.PATHS_FROM_ECLIPSE_TO_PYTHON)


def _wait_for_debugger(settings: dict[str, Any]) -> None:
    os.environ[_DEBUGGED] = str(os.getpid())
    # Without it debugpy warns of breakpoints in Python's own library.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    sys.path.insert(0, settings["packages"])
    try:
        import debugpy  # pants: no-infer-dep
    finally:
        sys.path.remove(settings["packages"])
    if not _listen(debugpy, settings):
        _print("another process of this run is debugged, this one is not: %s" % sys.executable)
        return
    _print("waiting for an editor to attach at %s" % settings["address"])
    debugpy.wait_for_client()


def _listen(debugpy: Any, settings: dict[str, Any]) -> bool:
    """Return whether this process got the port, which only one at a time can have."""
    end = time.monotonic() + _PORT_SECONDS
    while True:
        try:
            debugpy.listen((settings["host"], settings["port"]))
            return True
        except RuntimeError as error:
            if "in use" not in str(error):
                raise
            if time.monotonic() > end:
                return False
        time.sleep(0.2)


def _print(text: str) -> None:
    sys.stderr.write("Debugger: %s.\n" % text)
    sys.stderr.flush()


def _run_original(folder: str) -> None:
    """Run the `sitecustomize` that this one hides: Debian has one, and images may."""
    sys.path[:] = [each for each in sys.path if each != folder]
    spec: Any = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _install(folder: str) -> None:
    with open(os.path.join(folder, "settings.json"), encoding="utf-8") as file:
        settings = json.load(file)
    sys.meta_path.insert(0, _MappedFiles(settings))

    def before_the_program(event: str, _: Any) -> None:
        # Later than now: Python is set up by then, and the original `sitecustomize` has run.
        # https://docs.python.org/3/library/audit_events.html
        if event.startswith("cpython.run_") and _DEBUGGED not in os.environ:
            _debug(settings)

    sys.addaudithook(before_the_program)


def _debug(settings: dict[str, Any]) -> None:
    try:
        _wait_for_debugger(settings)
    except KeyboardInterrupt:
        # Raised from here, it would look like a failure inside Python.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except Exception as error:
        # Python would go on without the debugger.
        _print("it cannot be started: %s: %s" % (type(error).__name__, error))
        os._exit(1)


_install(os.path.dirname(os.path.abspath(__file__)))
_run_original(os.path.dirname(os.path.abspath(__file__)))
