package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.object;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.texts;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;

/** Builds a scenario's topology with the DSL. The steps on a StreamsBuilder are here, those on its results next door. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class DslTopology {
    private final Properties properties;
    private final StreamsBuilder builder;
    private final EffectLog effects;
    private final Map<String, Object> results = new HashMap<>();

    DslTopology(final Properties properties, final EffectLog effects) {
        this.properties = properties;
        this.builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(properties)));
        this.effects = effects;
    }

    Topology build(final List<Map<String, Object>> steps) {
        for (final Map<String, Object> step : steps) {
            final Object result = has(step, "on") ? applyOn(result(step, "on"), step) : apply(step);
            if (has(step, "id") && result != null) results.put(text(step, "id"), result);
        }
        return builder.build(properties);
    }

    /** What the step that this field names returned. */
    Object result(final Map<String, Object> step, final String field) {
        final Object result = results.get(text(step, field));
        if (result == null) throw new UnknownName("step", step.get(field));
        return result;
    }

    /** A branch of a split has an id of its own. */
    void keep(final String id, final KStream branch) {
        results.put(id, branch);
    }

    EffectLog effects() {
        return effects;
    }

    private Object apply(final Map<String, Object> step) {
        switch (text(step, "op")) {
            case "stream":
                return stream(step);
            case "table":
                return table(step);
            case "globalTable":
                return globalTable(step);
            case "addStateStore":
                return builder.addStateStore(StoreSpecs.builder(object(step, "store")));
            case "addGlobalStore":
                final Map<String, Object> processor = object(step, "processor");
                return builder.addGlobalStore(
                        StoreSpecs.builder(object(step, "store")).withLoggingDisabled(),
                        text(step, "topic"),
                        Options.consumed(step),
                        () -> new GlobalUpdateProcessor(processor));
            default:
                throw new UnknownName("op", step.get("op"));
        }
    }

    private Object stream(final Map<String, Object> step) {
        final Consumed consumed = Options.consumed(step);
        if (has(step, "pattern")) {
            final Pattern pattern = Pattern.compile(text(step, "pattern"));
            return consumed == null ? builder.stream(pattern) : builder.stream(pattern, consumed);
        }
        return consumed == null
                ? builder.stream(texts(step, "topics"))
                : builder.stream(texts(step, "topics"), consumed);
    }

    private Object table(final Map<String, Object> step) {
        final String topic = text(step, "topic");
        final Consumed consumed = Options.consumed(step);
        final Materialized materialized = Options.materialized(step);
        if (materialized == null) return consumed == null ? builder.table(topic) : builder.table(topic, consumed);
        return consumed == null ? builder.table(topic, materialized) : builder.table(topic, consumed, materialized);
    }

    private Object globalTable(final Map<String, Object> step) {
        final String topic = text(step, "topic");
        final Consumed consumed = Options.consumed(step);
        final Materialized materialized = Options.materialized(step);
        if (materialized == null)
            return consumed == null ? builder.globalTable(topic) : builder.globalTable(topic, consumed);
        return consumed == null
                ? builder.globalTable(topic, materialized)
                : builder.globalTable(topic, consumed, materialized);
    }

    private Object applyOn(final Object on, final Map<String, Object> step) {
        if (on instanceof KStream it) return new StreamSteps(this).apply(it, step);
        if (on instanceof KTable it) return new TableSteps(this).apply(it, step);
        if (on instanceof KGroupedStream it) return GroupedSteps.apply(it, step);
        if (on instanceof KGroupedTable it) return GroupedSteps.apply(it, step);
        if (on instanceof TimeWindowedKStream it) return WindowedSteps.apply(it, step);
        if (on instanceof SessionWindowedKStream it) return WindowedSteps.apply(it, step);
        if (on instanceof CogroupedKStream it) return new CogroupedSteps(this).apply(it, step);
        if (on instanceof TimeWindowedCogroupedKStream it) return CogroupedSteps.aggregate(it, step);
        if (on instanceof SessionWindowedCogroupedKStream it) return CogroupedSteps.aggregate(it, step);
        throw new UnknownName("op on " + on.getClass().getSimpleName(), step.get("op"));
    }
}
