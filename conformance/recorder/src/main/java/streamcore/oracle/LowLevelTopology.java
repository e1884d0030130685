package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.object;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.textArray;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;

/** Scenarios with `"api": "topology"`. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class LowLevelTopology {
    private LowLevelTopology() {}

    static Topology build(final List<Map<String, Object>> steps) {
        final Topology topology = new Topology();
        for (final Map<String, Object> step : steps) apply(topology, step);
        return topology;
    }

    private static void apply(final Topology topology, final Map<String, Object> step) {
        switch (text(step, "op")) {
            case "addSource" -> addSource(topology, step);
            case "addProcessor" -> topology.addProcessor(
                    text(step, "name"), Suppliers.processor(step), textArray(step, "parents"));
            case "addSink" -> {
                final Serializer keySerializer = SerdeSpecs.of(step, "keySerde").serializer();
                final Serializer valueSerializer =
                        SerdeSpecs.of(step, "valueSerde").serializer();
                topology.addSink(
                        text(step, "name"),
                        text(step, "topic"),
                        keySerializer,
                        valueSerializer,
                        textArray(step, "parents"));
            }
            case "addStateStore" -> topology.addStateStore(
                    StoreSpecs.builder(object(step, "store")), textArray(step, "processors"));
            case "connectProcessorAndStateStores" -> topology.connectProcessorAndStateStores(
                    text(step, "processor"), textArray(step, "stores"));
            default -> throw new UnknownName("topology op", step.get("op"));
        }
    }

    private static void addSource(final Topology topology, final Map<String, Object> step) {
        final String name = text(step, "name");
        final Deserializer keyDeserializer = SerdeSpecs.of(step, "keySerde").deserializer();
        final Deserializer valueDeserializer = SerdeSpecs.of(step, "valueSerde").deserializer();
        final String[] topics = textArray(step, "topics");
        if (has(step, "timestampExtractor")) {
            topology.addSource(
                    (AutoOffsetReset) null,
                    name,
                    TimestampExtractors.of(text(step, "timestampExtractor")),
                    keyDeserializer,
                    valueDeserializer,
                    topics);
        } else {
            topology.addSource(name, keyDeserializer, valueDeserializer, topics);
        }
    }
}
