package streamcore.oracle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.TtdAccess;

/** Runs one scenario on Kafka Streams' TopologyTestDriver and records what it did. */
final class ScenarioRun {
    private final Map<String, Object> scenario;
    private final Map<String, Object> config;
    private final Map<String, Object> topics;
    private final List<Map<String, Object>> input;
    private final Path stateDir;
    private final Map<String, Object> expected = new LinkedHashMap<>();
    private final EffectLog effects = new EffectLog();

    ScenarioRun(final Map<String, Object> scenario, final Path stateDir) {
        this.scenario = scenario;
        this.config = Fields.has(scenario, "config") ? Fields.object(scenario, "config") : Map.of();
        this.topics = Fields.has(scenario, "topics") ? Fields.object(scenario, "topics") : Map.of();
        this.input = Fields.objects(scenario, "input");
        this.stateDir = stateDir;
    }

    /** The scenario with its `expected`. */
    Map<String, Object> record() {
        expected.put("kafka", "4.3.1");
        expected.put("error", null);
        try {
            run();
        } finally {
            deleteState();
        }
        final Map<String, Object> recorded = new LinkedHashMap<>(scenario);
        recorded.remove("expected");
        recorded.put("expected", expected);
        return recorded;
    }

    private void run() {
        final Properties properties = DriverConfig.of(config, stateDir);
        final Topology topology;
        try {
            topology = buildTopology(properties);
        } catch (final RuntimeException e) {
            expected.put("error", RecordedError.of("build", null, e));
            return;
        }
        expected.put("describe", topology.describe().toString());
        final TopologyTestDriver driver;
        try {
            final Long start = Fields.whole(config, "wallClockStartMs");
            driver = new TopologyTestDriver(topology, properties, Instant.ofEpochMilli(start == null ? 0 : start));
        } catch (final RuntimeException e) {
            expected.put("error", RecordedError.of("start", null, e));
            return;
        }
        boolean isComplete = false;
        try {
            isComplete = runStimuli(driver);
        } finally {
            close(driver, isComplete);
        }
    }

    private Topology buildTopology(final Properties properties) {
        final List<Map<String, Object>> steps = Fields.objects(scenario, "topology");
        return "topology".equals(scenario.get("api"))
                ? LowLevelTopology.build(steps)
                : new DslTopology(properties, effects).build(steps);
    }

    /** Whether all stimuli succeeded. */
    private boolean runStimuli(final TopologyTestDriver driver) {
        final Capture capture = new Capture(driver, topics);
        expected.put("outputs", capture.outputs());
        expected.put("internal", capture.internal());
        capture.drain(-1);
        final boolean isComplete = runStimuli(driver, capture);
        capture.sortSuppressChangelogs();
        if (!effects.isEmpty()) expected.put("effects", effects.all());
        if (!isComplete) return false;
        expected.put("stores", new StoreContents(driver, capture.changelogKeys(), input).all());
        expected.put("droppedRecords", droppedRecords(driver));
        expected.put("streamTime", TtdAccess.streamTime(driver));
        return true;
    }

    private boolean runStimuli(final TopologyTestDriver driver, final Capture capture) {
        for (int i = 0; i < input.size(); i++) {
            Budget.check();
            effects.begin(i);
            try {
                stimulate(driver, input.get(i));
            } catch (final RuntimeException e) {
                expected.put("error", RecordedError.of("run", i, e));
                effects.forgetCurrent();
                return false;
            }
            capture.drain(i);
        }
        return true;
    }

    private void stimulate(final TopologyTestDriver driver, final Map<String, Object> stimulus) {
        if (Fields.has(stimulus, "advanceMs")) {
            driver.advanceWallClockTime(Fields.millis(stimulus, "advanceMs"));
            return;
        }
        final String topic = Fields.text(stimulus, "topic");
        final RecordHeaders headers = new RecordHeaders();
        if (Fields.has(stimulus, "headers")) addHeaders(headers, stimulus);
        TtdAccess.pipe(
                driver,
                topic,
                Fields.whole(stimulus, "timestamp"),
                bytes(stimulus, "key"),
                bytes(stimulus, "value"),
                headers);
    }

    /** The key or the value: `keyHex` is raw bytes, `key` goes through the topic's serde. */
    private byte[] bytes(final Map<String, Object> stimulus, final String part) {
        if (stimulus.containsKey(part + "Hex")) return JsonValues.unhex(Fields.text(stimulus, part + "Hex"));
        final String topic = Fields.text(stimulus, "topic");
        return SerdeSpecs.serialise(topic, Fields.object(topics, topic).get(part + "Serde"), stimulus.get(part));
    }

    @SuppressWarnings("unchecked")
    private static void addHeaders(final RecordHeaders headers, final Map<String, Object> stimulus) {
        for (final List<String> header : (List<List<String>>) stimulus.get("headers")) {
            headers.add(header.get(0), JsonValues.unhex(header.get(1)));
        }
    }

    private static long droppedRecords(final TopologyTestDriver driver) {
        long dropped = 0;
        for (final Map.Entry<MetricName, ? extends Metric> metric :
                driver.metrics().entrySet()) {
            if (metric.getKey().name().equals("dropped-records-total")) {
                dropped += ((Number) metric.getValue().metricValue()).longValue();
            }
        }
        return dropped;
    }

    /** What closing throws after a failed stimulus must not hide why that failed. */
    private static void close(final TopologyTestDriver driver, final boolean isComplete) {
        try {
            driver.close();
        } catch (final RuntimeException e) {
            if (isComplete) throw e;
        }
    }

    private void deleteState() {
        if (!Files.exists(stateDir)) return;
        try (Stream<Path> paths = Files.walk(stateDir)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        } catch (final IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
