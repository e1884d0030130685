package streamcore.oracle;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.test.TestRecord;

/** What was produced: to the scenario's topics as values, to all others, which are internal, as bytes. */
final class Capture {
    private final TopologyTestDriver driver;
    private final Map<String, Object> userTopics;
    private final Map<String, TestOutputTopic<byte[], byte[]>> topics = new HashMap<>();
    private final Map<String, List<Map<String, Object>>> outputs = new TreeMap<>();
    private final Map<String, List<Map<String, Object>>> internal = new TreeMap<>();
    private final Map<String, Set<String>> changelogKeys = new HashMap<>();

    Capture(final TopologyTestDriver driver, final Map<String, Object> userTopics) {
        this.driver = driver;
        this.userTopics = userTopics;
    }

    Map<String, List<Map<String, Object>>> outputs() {
        return outputs;
    }

    Map<String, List<Map<String, Object>>> internal() {
        return internal;
    }

    /** By changelog topic, every key it has seen, read as a string: a versioned store cannot list its keys. */
    Map<String, Set<String>> changelogKeys() {
        return changelogKeys;
    }

    /** Takes what was produced since the last call. `after`: the stimulus that produced it. */
    void drain(final int after) {
        for (final String topic : new TreeSet<>(driver.producedTopicNames())) {
            final TestOutputTopic<byte[], byte[]> output = topics.computeIfAbsent(
                    topic,
                    name -> driver.createOutputTopic(name, new ByteArrayDeserializer(), new ByteArrayDeserializer()));
            final boolean isUsers = userTopics.containsKey(topic);
            while (!output.isEmpty()) {
                (isUsers ? outputs : internal)
                        .computeIfAbsent(topic, name -> new ArrayList<>())
                        .add(recorded(topic, after, output.readRecord(), isUsers));
            }
        }
    }

    private Map<String, Object> recorded(
            final String topic, final int after, final TestRecord<byte[], byte[]> record, final boolean isUsers) {
        final Map<String, Object> json = new LinkedHashMap<>();
        json.put("after", after);
        if (isUsers) {
            final Map<String, Object> serdes = Fields.object(userTopics, topic);
            json.put("key", SerdeSpecs.deserialise(topic, serdes.get("keySerde"), record.key()));
            json.put("value", SerdeSpecs.deserialise(topic, serdes.get("valueSerde"), record.value()));
        } else {
            json.put("key", JsonValues.hex(record.key()));
            json.put("value", JsonValues.hex(record.value()));
            if (topic.endsWith("-changelog") && record.key() != null) {
                changelogKeys
                        .computeIfAbsent(topic, name -> new LinkedHashSet<>())
                        .add(new StringDeserializer().deserialize(topic, record.key()));
            }
        }
        json.put("timestamp", record.timestamp());
        if (record.headers() != null && record.headers().iterator().hasNext()) {
            json.put("headers", JsonValues.headers(record.headers()));
        }
        return json;
    }

    /** A suppress buffer logs its dirty keys in the order of a HashSet, which means nothing: here they are sorted. */
    void sortSuppressChangelogs() {
        for (final Map.Entry<String, StateStore> store :
                driver.getAllStateStores().entrySet()) {
            if (store.getValue() == null || !isSuppressBuffer(store.getValue())) continue;
            final List<Map<String, Object>> records = internal.get("app-" + store.getKey() + "-changelog");
            if (records == null) continue;
            records.sort(Comparator.comparing((Map<String, Object> record) -> (Integer) record.get("after"))
                    .thenComparing(
                            record -> (String) record.get("key"), Comparator.nullsFirst(Comparator.naturalOrder())));
        }
    }

    private static boolean isSuppressBuffer(final StateStore store) {
        return store.getClass().getSimpleName().equals("InMemoryTimeOrderedKeyValueChangeBuffer");
    }
}
