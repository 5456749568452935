"""Look for the packages of a lock that holds as much as can be of what it had."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from azureml_jobs.locks.failure import held_packages, is_hopeless
from azureml_jobs.locks.lock import Lock, Pin


@dataclass(frozen=True)
class Search:
    """One step: try `pins`. When they are None, `found` or `failure` is what came of it.

    pip itself keeps nothing: it is given the locked versions as constraints. Where it finds that
    those contradict what is asked for, it names some; they are let go, and it is asked again. When
    several were let go, each that moved is tried once more, as not all may have had to.
    """

    pins: tuple[Pin, ...] | None
    found: Lock | None = None
    failure: str = ""
    # What was held in `found`.
    held: tuple[Pin, ...] = ()
    _let_go: tuple[Pin, ...] = ()
    _retried: tuple[Pin, ...] = ()

    def after_failure(self, output: str) -> Search:
        """The next step when pip found nothing; `output` is what pex printed."""
        assert self.pins is not None
        if self.found:
            # What was tried once more has to move.
            return self._try_next()
        let_go = () if is_hopeless(output) else _to_let_go(self.pins, output)
        if not let_go:
            return replace(self, pins=None, failure=output)
        return replace(
            self,
            pins=tuple(pin for pin in self.pins if pin not in let_go),
            _let_go=(*self._let_go, *let_go),
        )

    def after_success(self, lock: Lock) -> Search:
        assert self.pins is not None
        if self.found:
            return replace(self, found=lock, held=self.pins)._try_next()
        moved = tuple(pin for pin in self._let_go if pin not in lock.pins)
        # One alone was shown to be in the way; and with nothing held, there is no telling.
        retried = moved if len(self._let_go) > 1 and self.pins else ()
        return replace(self, found=lock, held=self.pins, _retried=retried)._try_next()

    def _try_next(self) -> Search:
        for index, pin in enumerate(self._retried):
            if self.found and pin not in self.found.pins and _is_there(pin, self.found):
                rest = self._retried[index + 1 :]
                return replace(self, pins=(*self.held, pin), _retried=rest)
        return replace(self, pins=None, _retried=())


def _is_there(pin: Pin, lock: Lock) -> bool:
    return any((pin.name, pin.marker) == (other.name, other.marker) for other in lock.pins)


def _to_let_go(pins: Iterable[Pin], output: str) -> tuple[Pin, ...]:
    """The pins in pip's way. All of them where it names none, to see whether it is them at all."""
    held, parents = held_packages(output)
    for names in (held, parents):
        named = tuple(pin for pin in pins if pin.name in names)
        if named:
            return named
    return tuple(pins)
