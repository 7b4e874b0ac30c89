"""Which items go together, and when: random arrivals on a clock of their own."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from ditto.serving.batch_queue import BatchQueue


@dataclass(frozen=True, eq=False)
class Item:
    """A step of one session."""

    session: int
    arrived_s: float
    deadline_s: float


@dataclass
class Day:
    """What happened to a queue: each batch with the moment at which it went."""

    batches: list[tuple[float, list[Item]]]
    arrived: list[Item]
    cancelled: list[Item]


millis = st.integers(0, 40).map(lambda n: n / 1000)
arrivals = st.lists(st.tuples(millis, millis, st.booleans()), min_size=1, max_size=40)


def live_through(
    plan: list[tuple[float, float, bool]], max_batch: int, wait_s: float, busy_s: float
) -> Day:
    """Each session has one item: so long after the last one, with such a deadline, perhaps
    cancelled at once. Batches keep the thread busy for a while."""
    queue: BatchQueue[Item] = BatchQueue(max_batch, wait_s)
    day, now, free_s, moment = Day([], [], []), 0.0, 0.0, 0.0
    coming = []
    for session, (gap_s, slack_s, is_cancelled) in enumerate(plan):
        moment += gap_s
        coming.append((Item(session, moment, moment + slack_s), is_cancelled))
    while coming or len(queue):
        due = queue.due_s(len(plan))
        go = None if due is None else max(due, free_s, now)
        if coming and (go is None or coming[0][0].arrived_s <= go):
            item, is_cancelled = coming.pop(0)
            now = item.arrived_s
            queue.add(item)
            day.arrived.append(item)
            if is_cancelled:
                queue.discard(item)
                day.cancelled.append(item)
            continue
        assert go is not None
        now, free_s = go, go + busy_s
        day.batches.append((now, queue.take()))
    return day


@given(arrivals, st.integers(1, 8), millis, millis)
def test_every_wanted_item_goes_once_and_no_other(plan, max_batch, wait_s, busy_s):
    day = live_through(plan, max_batch, wait_s, busy_s)
    went = [item.session for _, batch in day.batches for item in batch]
    cancelled = {item.session for item in day.cancelled}
    assert sorted(went) == [i for i in range(len(plan)) if i not in cancelled]
    assert all(1 <= len(batch) <= max_batch for _, batch in day.batches)


@given(arrivals, st.integers(1, 8), millis, millis)
def test_none_that_stays_has_an_earlier_deadline_than_one_that_goes(
    plan, max_batch, wait_s, busy_s
):
    day = live_through(plan, max_batch, wait_s, busy_s)
    went_s = {item.session: now for now, batch in day.batches for item in batch}
    for now, batch in day.batches:
        latest = max(item.deadline_s for item in batch)
        left_behind = [
            item for item in day.arrived if item.arrived_s <= now < went_s.get(item.session, -1.0)
        ]
        assert all(item.deadline_s >= latest for item in left_behind)


@given(arrivals, st.integers(1, 8), millis)
def test_a_free_thread_keeps_an_item_waiting_so_long_and_no_longer(plan, max_batch, wait_s):
    day = live_through(plan, max_batch, wait_s, busy_s=0.0)
    for now, batch in day.batches:
        assert all(now - item.arrived_s <= wait_s + 1e-9 for item in batch)


@given(arrivals, st.integers(1, 8), millis)
def test_a_lone_session_waits_for_nobody(plan, max_batch, wait_s):
    queue: BatchQueue[Item] = BatchQueue(max_batch, wait_s)
    now = 0.0
    for gap_s, slack_s, _ in plan:
        now += gap_s
        queue.add(Item(0, now, now + slack_s))
        assert queue.due_s(sessions=1) == now
        assert len(queue.take()) == 1


def test_a_batch_that_can_grow_no_more_goes_at_once():
    queue: BatchQueue[Item] = BatchQueue(max_batch=3, max_wait_s=0.005)
    for session in range(2):
        queue.add(Item(session, 1.0 + session / 1000, 2.0))
    assert queue.due_s(sessions=2) == 1.0
    assert queue.due_s(sessions=4) == 1.005
    queue.add(Item(2, 1.003, 2.0))
    assert queue.due_s(sessions=4) == 1.0
    assert len(queue.take()) == 3
    assert queue.due_s(sessions=4) is None
