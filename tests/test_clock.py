"""A told clock stands still until it is told to go on, and tasks are kept until they end."""

import asyncio

import pytest

from llmsim.clock import RealClock, ToldClock, keep


async def test_timers_fire_in_order_each_at_its_own_moment():
    clock, fired = ToldClock(start=5.0), []
    for moment in (9.0, 7.0, 8.0, 7.0):
        clock.call_at(moment, lambda moment=moment: fired.append((moment, clock.now())))
    await clock.advance(3.5)
    assert fired == [(7.0, 7.0), (7.0, 7.0), (8.0, 8.0)]
    assert clock.now() == 8.5
    await clock.advance(1)
    assert fired[-1] == (9.0, 9.0)


async def test_a_timer_that_is_taken_back_never_fires():
    clock, fired = ToldClock(), []
    timer = clock.call_at(1.0, lambda: fired.append(1))
    timer.cancel()
    timer.cancel()
    await clock.advance(5)
    assert fired == []


async def test_a_timer_set_by_a_timer_fires_in_the_same_advance():
    clock, fired = ToldClock(), []
    clock.call_at(1.0, lambda: clock.call_at(2.0, lambda: fired.append(clock.now())))
    await clock.advance(3)
    assert fired == [2.0]


async def test_a_timer_of_a_moment_that_has_passed_fires_without_turning_time_back():
    clock, fired = ToldClock(start=10.0), []
    clock.call_at(3.0, lambda: fired.append(clock.now()))
    await clock.advance(0)
    assert fired == [10.0]


async def test_wall_time_goes_with_it():
    clock = ToldClock(start=5.0, wall=1000.0)
    await clock.advance(2.5)
    assert clock.wall() == 1002.5


async def test_tasks_woken_by_a_timer_run_before_the_next_one():
    clock, order = ToldClock(), []
    event = asyncio.Event()

    async def waits():
        await event.wait()
        order.append("woken")

    keep(waits(), "waits")
    clock.call_at(1.0, event.set)
    clock.call_at(2.0, lambda: order.append("second timer"))
    await clock.advance(3)
    assert order == ["woken", "second timer"]


async def test_the_real_clock_calls_back_on_the_loop():
    clock, reached = RealClock(), asyncio.Event()
    before = clock.now()
    clock.call_at(before - 1.0, reached.set)
    await reached.wait()
    assert clock.now() >= before
    assert clock.wall() > 1_600_000_000


async def test_the_exception_of_a_kept_task_is_not_lost():
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    async def fails():
        raise RuntimeError("torn")

    task = keep(fails(), "the task")
    await asyncio.wait([task])
    await ToldClock().advance(0)
    assert told[0]["message"] == "task 'the task' failed"
    assert str(told[0]["exception"]) == "torn"


async def test_a_kept_task_that_is_cancelled_is_no_failure():
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    task = keep(asyncio.Event().wait(), "endless")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == []
