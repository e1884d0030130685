import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The application that is handed from Java to TypeScript and back: `java TakeOver.java <bootstrap> <application> <state folder>`.
 * Prints its topology and its states; ends when standard input does.
 */
public class TakeOver {
  public static void main(String[] args) throws Exception {
    Properties config = new Properties();
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
    config.put(StreamsConfig.STATE_DIR_CONFIG, args[2]);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 50);
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    config.put("session.timeout.ms", 6000);

    StreamsBuilder builder = new StreamsBuilder();
    String prefix = args[1];
    KGroupedStream<String, String> words = builder
      .stream(prefix + "-lines", Consumed.with(Serdes.String(), Serdes.String()))
      .groupBy((key, word) -> word, Grouped.with("by-word", Serdes.String(), Serdes.String()));
    words
      .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"))
      .toStream()
      .to(prefix + "-counts", Produced.with(Serdes.String(), Serdes.Long()));
    words
      .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofDays(1)))
      .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("windows").withRetention(Duration.ofDays(2)))
      .toStream()
      .map((key, count) -> KeyValue.pair(key.key() + "@" + key.window().start(), count))
      .to(prefix + "-windows", Produced.with(Serdes.String(), Serdes.Long()));
    KTable<String, String> left = builder.table(
      prefix + "-left", Consumed.with(Serdes.String(), Serdes.String()),
      Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("left"));
    KTable<String, String> right = builder.table(
      prefix + "-right", Consumed.with(Serdes.String(), Serdes.String()),
      Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("right"));
    left
      .join(right, (one, other) -> one + "+" + other,
        Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("joined")
          .withKeySerde(Serdes.String()).withValueSerde(Serdes.String()))
      .toStream()
      .to(prefix + "-joined", Produced.with(Serdes.String(), Serdes.String()));

    var topology = builder.build();
    System.out.println("TOPOLOGY " + topology.describe().toString().replace("\n", "\\n"));
    KafkaStreams streams = new KafkaStreams(topology, config);
    streams.setStateListener((state, before) -> System.out.println("STATE " + state));
    streams.start();
    while (System.in.read() >= 0) {}
    // Others need not wait for the end of a session.
    streams.close(new KafkaStreams.CloseOptions().leaveGroup(true).timeout(Duration.ofSeconds(20)));
    System.out.println("CLOSED");
  }
}
