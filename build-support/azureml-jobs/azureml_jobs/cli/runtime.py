"""Choose where a script, its tests or a notebook run, and in which image."""

from __future__ import annotations

import os
from dataclasses import replace

from azureml_jobs.docker.derived_image import Addition, derived_image
from azureml_jobs.docker.needed_image import NeededImage
from azureml_jobs.local.runtimes import Runtime, RuntimeChoice
from azureml_jobs.protocol import EnvironmentImage, RuntimeOptions


def choose_runtime(
    address: str,
    image: EnvironmentImage | None,
    options: RuntimeOptions,
    addition: Addition | None = None,
) -> Runtime:
    """Return the runtime; one with an image has that image with `addition`.

    Raises `JobError` or `OutsideError` as `RuntimeChoice.choose` does.
    """
    need = NeededImage(why_none="only Azure ML has the environment of its job")
    if image:
        need = NeededImage(image.tag, image.address)
    runtime = RuntimeChoice(options.runtime, os.environ).choose(need, address)
    if addition is None or image is None or runtime.image is None:
        return runtime
    derived = derived_image(runtime.image, addition, options.build_arguments, image.network)
    return replace(runtime, image=derived)
