import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/** Java Kafka Streams, for one job. */
public final class Main {
  private static final AtomicLong TICKS = new AtomicLong();
  private static final CountDownLatch ALL = new CountDownLatch(1);

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    Job job = Job.read();
    long half = job.ticks / 2;
    Runnable tick =
        () -> {
          long count = TICKS.incrementAndGet();
          if (count == 1) mark("first", "{}");
          if (count == half) mark("half", "{}");
          if (count == job.ticks) {
            mark("all", "{}");
            ALL.countDown();
          }
        };
    AtomicLong restored = new AtomicLong();
    KafkaStreams streams = new KafkaStreams(Topologies.of(job, tick), settings(job));
    streams.setUncaughtExceptionHandler(
        e -> {
          e.printStackTrace();
          ALL.countDown();
          return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
    streams.setGlobalStateRestoreListener(new CountingListener(restored));
    streams.start();
    if (job.workload.equals("restore")) {
      // It runs once before the rebalance that brings the tasks, too.
      while (restored.get() < job.ticks || streams.state() != KafkaStreams.State.RUNNING) Thread.sleep(2);
      mark("all", "{}");
      check(streams);
    } else ALL.await(job.limitMs, TimeUnit.MILLISECONDS);
    streams.close(
        CloseOptions.timeout(Duration.ofSeconds(60))
            .withGroupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
    mark("closed", "{}");
    System.exit(0);
  }

  private static Properties settings(Job job) {
    Properties p = new Properties();
    p.put("application.id", job.applicationId);
    p.put("bootstrap.servers", job.bootstrapServers);
    p.put("state.dir", job.stateDir);
    p.put("processing.guarantee", job.isExactlyOnce() ? "exactly_once_v2" : "at_least_once");
    p.put("commit.interval.ms", job.isExactlyOnce() ? 100 : 1000);
    if (job.workload.equals("new-keys")) p.put("statestore.cache.max.bytes", 0);
    p.put("replication.factor", 1);
    p.put("default.key.serde", Serdes.String().getClass().getName());
    p.put("default.value.serde", Serdes.String().getClass().getName());
    return p;
  }

  private static void check(KafkaStreams streams) {
    long keys = 0;
    long sum = 0;
    var query = StoreQueryParameters.fromNameAndType("counts", QueryableStoreTypes.<String, Long>keyValueStore());
    try (KeyValueIterator<String, Long> all = streams.store(query).all()) {
      while (all.hasNext()) {
        KeyValue<String, Long> entry = all.next();
        keys++;
        sum += entry.value;
      }
    }
    mark("check", "{\"keys\":" + keys + ",\"sum\":" + sum + "}");
  }

  private static synchronized void mark(String name, String facts) {
    System.out.println("@" + name + " " + facts);
    System.out.flush();
  }
}
