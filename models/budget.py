"""The cap on what a run may spend, kept while many threads spend at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from core.errors import PatchmarkError


class OverBudgetError(PatchmarkError):
    """The next request might cost more than is left; it was not sent."""


class Reservation:
    """Money set aside for one request. Left unsettled, all of it counts as spent."""

    def __init__(self, worst: Decimal):
        self.actual = worst

    def settle(self, actual: Decimal | None) -> None:
        """Say what the request cost; None, not known, leaves the worst case standing."""
        if actual is not None:
            self.actual = actual


class Budget:
    """US dollars that may be spent; `cap_usd` None means no limit.

    What is spent of a budget `within` another is spent of that as well; `of` says whose it is.
    """

    def __init__(
        self,
        cap_usd: Decimal | None,
        spent_usd: Decimal = Decimal(0),
        *,
        within: Budget | None = None,
        of: str = "",
    ):
        self.cap_usd = cap_usd
        self._within = within
        self._of = of
        self._spent = spent_usd
        self._reserved = Decimal(0)
        self._changed = threading.Condition()

    @property
    def spent(self) -> Decimal:
        """US dollars spent so far, requests under way not included."""
        with self._changed:
            return self._spent

    def correct(self, usd: Decimal) -> None:
        """Count this much more as spent, or less: something cost other than was thought."""
        with self._changed:
            self._spent += usd
            self._changed.notify_all()
        if self._within is not None:
            self._within.correct(usd)

    @contextmanager
    def reserve(self, worst: Decimal) -> Iterator[Reservation]:
        """Set aside what a request may cost at worst, for as long as it is under way.

        Requests that fit only if the ones under way turn out cheaper wait for those, since
        the worst case is many times the usual one. A thread must not hold two reservations.
        Raises OverBudgetError when spent money and this request would exceed the cap.
        """
        self._take(worst)
        reservation = Reservation(worst)
        try:
            # The inner one first, always: so no two threads wait for each other.
            if self._within is None:
                yield reservation
            else:
                with self._within.reserve(worst) as outer:
                    try:
                        yield reservation
                    finally:
                        outer.settle(reservation.actual)
        except OverBudgetError:
            reservation.settle(Decimal(0))  # of the outer one: nothing was sent
            raise
        finally:
            with self._changed:
                self._reserved -= worst
                self._spent += reservation.actual
                self._changed.notify_all()

    def _take(self, worst: Decimal) -> None:
        with self._changed:
            while self.cap_usd is not None and self._spent + self._reserved + worst > self.cap_usd:
                if self._spent + worst > self.cap_usd:
                    raise OverBudgetError(
                        f"the next request may cost ${worst:.4f} and "
                        f"${self._spent:.4f} of ${self.cap_usd}{self._of} are spent"
                    )
                self._changed.wait()
            self._reserved += worst
