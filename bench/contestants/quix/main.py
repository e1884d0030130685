"""Quix Streams, for one job."""

import json
import os
import threading

from quixstreams import Application
from quixstreams.dataframe.windows.aggregations import Count
from quixstreams.models import Serializer

job = json.loads(os.environ["BENCH_JOB"])
workload, total = job["workload"], job["ticks"]
app = Application(
    broker_address=job["bootstrapServers"],
    consumer_group=job["applicationId"],
    auto_offset_reset="earliest",
    state_dir=job["stateDir"],
    loglevel="WARNING",
    processing_guarantee=job["guarantee"],
)
limit = threading.Timer(job["limitMs"] / 1000, lambda: os._exit(1))
limit.daemon = True
limit.start()
ticks = 0


def mark(name):
    print(f"@{name} {{}}", flush=True)


def tick(_value):
    global ticks
    ticks += 1
    if ticks == 1:
        mark("first")
    if ticks == total // 2:
        mark("half")
    if ticks == total:
        mark("all")
        app.stop()


class CountAsText(Serializer):
    def __call__(self, value, ctx):
        return str(value["count"]).encode()


is_json = workload != "word-count"
source = app.topic(job["input"], key_deserializer="str", value_deserializer="json" if is_json else "str")
output = app.topic(job["output"], key_serializer="str", value_serializer=CountAsText())
frame = app.dataframe(source)
if workload == "vote-count-repartition":
    frame = frame.group_by(
        lambda vote: vote["poll"] + "|" + vote["option"], name="by-option", key_serializer="str", key_deserializer="str"
    )
if is_json:
    frame = frame.update(tick)
    frame = frame.tumbling_window(10_000, grace_ms=3_600_000).agg(value=Count()).current()
    # The window goes into the key, as with the others.
    frame = frame.apply(
        lambda value, key, timestamp, headers: {"key": f"{key}@{value['start']}", "count": value["value"]}, metadata=True
    )
    frame = frame.to_topic(output, key=lambda value: value["key"])
else:

    def count_word(_word, state):
        count = state.get("count", 0) + 1
        state.set("count", count)
        return {"count": count}

    frame = frame.apply(lambda line: line.split(" "), expand=True)
    frame = frame.group_by(lambda word: word, name="by-word", key_serializer="str", key_deserializer="str")
    frame = frame.update(tick).apply(count_word, stateful=True).to_topic(output)
app.run()
mark("closed")
