"""Ends a call that idles, lasts too long, or is not read."""

from __future__ import annotations

from ditto.errors import CallLimitError
from gateway.call.caller import Caller
from gateway.call.feeding import Feeder
from gateway.call.outbox import Outbox
from gateway.clock import Clock
from gateway.config import GatewayConfig

_LOOK_SECONDS = 1.0


class Watchdog:
    """Looks at one call now and then; raises what must end it."""

    def __init__(
        self,
        caller: Caller,
        feeder: Feeder,
        outbox: Outbox,
        config: GatewayConfig,
        clock: Clock,
        lasted_s: float,
    ) -> None:
        """`lasted_s` is how long the call has lasted elsewhere."""
        self._caller = caller
        self._feeder = feeder
        self._outbox = outbox
        self._config = config
        self._clock = clock
        self._lasted_s = lasted_s
        self._busy_at_s = clock.now()

    async def run(self) -> None:
        """Watch until cancelled."""
        end_s = self._clock.now() + self._config.call_seconds - self._lasted_s
        look_s = min(_LOOK_SECONDS, self._config.idle_seconds / 2)
        while (now := self._clock.now()) < end_s:
            self._check_idle(now)
            self._check_reader(now)
            await self._clock.sleep_until(min(end_s, now + look_s))
        raise CallLimitError(f"call_seconds: a call may last {self._config.call_seconds:g} s")

    def _check_idle(self, now: float) -> None:
        if self._feeder.queued_samples or self._caller.has_ended:
            self._busy_at_s = now
        idle_s = now - max(self._busy_at_s, self._caller.heard_at_s)
        if idle_s >= self._config.idle_seconds:
            raise CallLimitError(
                f"idle_seconds: nothing was sent for {self._config.idle_seconds:g} s; "
                "send speech, or end the call"
            )

    def _check_reader(self, now: float) -> None:
        since = self._outbox.blocked_since_s
        if since is not None and now - since >= self._config.idle_seconds:
            raise CallLimitError(
                f"idle_seconds: nothing was read for {self._config.idle_seconds:g} s"
            )
