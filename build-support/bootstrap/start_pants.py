"""Start Pants, and end without a traceback for what is no bug of it.

When nobody reads its output, as in `… | head`, Pants' native client fails, too, and would start the
whole command a second time. A `pants.toml` that is no TOML ends in a traceback of Pants.
"""

import os
import select
import signal
import sys

from pants.bin.pants_loader import main
from pants.option.errors import ConfigError

STANDARD_OUTPUT = 1


def reader_has_gone() -> bool:
    poll = select.poll()
    poll.register(STANDARD_OUTPUT, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


try:
    if reader_has_gone():
        raise BrokenPipeError
    main()
except BrokenPipeError:
    # At once: Python would flush its output first. The status is what a shell counts.
    os._exit(128 + signal.SIGPIPE)
except ConfigError as error:
    sys.exit(f"pants: {error}")
