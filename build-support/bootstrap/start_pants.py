"""Start Pants, and end without a traceback when nobody reads its output, as in `… | head`.

Pants' native client fails then, too, and would start the whole command a second time.
"""

import os
import select
import signal

from pants.bin.pants_loader import main

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
