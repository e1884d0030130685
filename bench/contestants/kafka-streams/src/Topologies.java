import java.time.Duration;
import java.util.Arrays;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/** The same topologies as stream-core's. */
final class Topologies {
  private static final Serde<String> TEXT = Serdes.String();
  private static final Serde<Vote> VOTE = new Json<>(Vote.class);

  private Topologies() {}

  public static class PlainVote {
    public String poll, option;
  }

  public static class Voter {
    public String district;
    public int born;
  }

  public static class Enriched {
    public String poll, option, district;

    public Enriched() {}

    Enriched(PlainVote vote, Voter voter) {
      poll = vote.poll;
      option = vote.option;
      district = voter.district;
    }
  }

  static Topology of(Job job, Runnable tick) {
    StreamsBuilder builder = new StreamsBuilder();
    switch (job.workload) {
      case "vote-count" ->
          countVotes(builder.stream(job.input, Consumed.with(TEXT, VOTE)).peek((k, v) -> tick.run()).groupByKey(), job);
      case "vote-count-repartition" ->
          countVotes(
              builder.stream(job.input, Consumed.with(TEXT, VOTE))
                  .selectKey((voter, vote) -> vote.poll + "|" + vote.option)
                  .repartition(Repartitioned.with(TEXT, VOTE).withName("by-option"))
                  .peek((k, v) -> tick.run())
                  .groupByKey(),
              job);
      case "word-count" ->
          builder.stream(job.input, Consumed.with(TEXT, TEXT))
              .flatMapValues(line -> Arrays.asList(line.split(" ")))
              .selectKey((k, word) -> word)
              .repartition(Repartitioned.with(TEXT, TEXT).withName("by-word"))
              .peek((k, v) -> tick.run())
              .groupByKey()
              .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"))
              .toStream()
              .mapValues(count -> Long.toString(count))
              .to(job.output, Produced.with(TEXT, TEXT));
      case "new-keys" ->
          builder.stream(job.input, Consumed.with(TEXT, VOTE))
              .peek((k, v) -> tick.run())
              .groupByKey()
              .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"));
      case "join" -> {
        KTable<String, Voter> voters =
            builder.table(
                job.table,
                Consumed.with(TEXT, new Json<>(Voter.class)),
                Materialized.<String, Voter, KeyValueStore<Bytes, byte[]>>as("voters"));
        Serde<PlainVote> plain = new Json<>(PlainVote.class);
        builder.stream(job.input, Consumed.with(TEXT, plain))
            .join(voters, Enriched::new, Joined.with(TEXT, plain, null))
            .peek((k, v) -> tick.run())
            .to(job.output, Produced.with(TEXT, new Json<>(Enriched.class)));
      }
      case "restore" ->
          builder.stream(job.input, Consumed.with(TEXT, TEXT))
              .groupByKey()
              .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"));
      default -> throw new IllegalArgumentException("no such workload: " + job.workload);
    }
    return builder.build();
  }

  private static void countVotes(KGroupedStream<String, Vote> votes, Job job) {
    votes.windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofHours(1)))
        .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts"))
        .toStream((windowed, count) -> windowed.key() + "@" + windowed.window().start())
        .mapValues(count -> Long.toString(count))
        .to(job.output, Produced.with(TEXT, TEXT));
  }
}
