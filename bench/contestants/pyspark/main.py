"""PySpark Structured Streaming on two local cores, for one job: everything that is there, in one query."""

import glob
import json
import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType, StructField, StructType

job = json.loads(os.environ["BENCH_JOB"])
workload = job["workload"]


def mark(name):
    print(f"@{name} {{}}", flush=True)


settings = {
    "spark.jars": ",".join(glob.glob(sys.argv[1] + "/*.jar")),
    "spark.ui.enabled": "false",
    "spark.driver.memory": "2g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.session.timeZone": "UTC",
    "spark.log.level": "ERROR",
}
builder = SparkSession.builder.appName(job["applicationId"]).master("local[2]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()

source = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", job["bootstrapServers"])
    .option("subscribe", job["input"])
    .option("startingOffsets", "earliest")
    .load()
)
if workload == "word-count":
    words = source.select(F.explode(F.split(F.col("value").cast("string"), " ")).alias("k"))
    result = words.groupBy("k").count().select(F.col("k").alias("key"), F.col("count").cast("string").alias("value"))
else:
    fields = [StructField(name, StringType()) for name in ("poll", "voter", "option", "region")]
    schema = StructType([*fields, StructField("ts", LongType())])
    parsed = F.from_json(F.col("value").cast("string"), schema).alias("vote")
    votes = source.select(F.col("key").cast("string").alias("k"), F.col("timestamp"), parsed)
    key = F.col("k") if workload == "vote-count" else F.concat_ws("|", F.col("vote.poll"), F.col("vote.option"))
    # Where only the key is counted the value is to be parsed all the same.
    votes = votes.where(F.col("vote.poll").isNotNull()).select(key.alias("k"), "timestamp")
    counts = votes.withWatermark("timestamp", "1 hour").groupBy(F.window("timestamp", "10 seconds"), "k").count()
    start = F.unix_millis(F.col("window.start")).cast("string")
    result = counts.select(F.concat(F.col("k"), F.lit("@"), start).alias("key"), F.col("count").cast("string").alias("value"))
# The start of the query: planning counts as work.
mark("first")
query = (
    result.writeStream.outputMode("update")
    .option("checkpointLocation", job["stateDir"] + "/checkpoint")
    .format("kafka")
    .option("kafka.bootstrap.servers", job["bootstrapServers"])
    .option("topic", job["output"])
    .trigger(availableNow=True)
    .start()
)
if not query.awaitTermination(job["limitMs"] // 1000):
    sys.exit("too late")
mark("all")
spark.stop()
mark("closed")
