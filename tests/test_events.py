"""The log of events is bounded and tells what is new."""

from llmsim.events import Events


def test_events_are_numbered_and_stamped(clock):
    events = Events(clock)
    event = events.add("change", "seed 5", who="console", mark="seed")
    assert (event.number, event.kind, event.text, event.who, event.mark) == (1, "change", "seed 5", "console", "seed")
    assert event.wall == clock.wall()


def test_the_oldest_goes_where_the_log_is_full(clock):
    events = Events(clock, limit=3)
    for i in range(10):
        events.add("note", str(i))
    assert [event.text for event in events.after(0)] == ["7", "8", "9"]
    assert events.newest == 10


def test_only_what_is_new_is_told_oldest_first(clock):
    events = Events(clock)
    for i in range(1, 6):
        events.add("note", str(i))
    assert [event.number for event in events.after(3)] == [4, 5]
    assert [event.number for event in events.after(0, limit=2)] == [4, 5]
    assert events.after(5) == []
    assert events.after(99) == []
    assert events.after(0, limit=0) == []


def test_an_empty_log_tells_nothing(clock):
    assert Events(clock).after(0) == []
