"""When a service that fails is left alone, and when it is tried again."""

from __future__ import annotations

from ditto.serving.breaker import FAILURES, PAUSE_S, CircuitBreaker


def test_the_breaker_opens_after_failures_in_a_row_and_tries_again():
    now = 0.0
    breaker = CircuitBreaker(lambda: now)
    breaker.failed()
    breaker.succeeded()
    for _ in range(FAILURES):
        assert not breaker.is_open
        breaker.failed()
    assert breaker.is_open
    now += PAUSE_S
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open
