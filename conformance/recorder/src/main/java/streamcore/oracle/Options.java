package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.isFalse;
import static streamcore.oracle.Fields.isTrue;
import static streamcore.oracle.Fields.millis;
import static streamcore.oracle.Fields.object;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.whole;

import java.util.Map;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;

/** The configuration objects of the DSL, from the fields of the same names. null stands for one that is left out. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class Options {
    private Options() {}

    static Named named(final Map<String, Object> step) {
        return has(step, "named") ? Named.as(text(step, "named")) : null;
    }

    static Consumed consumed(final Map<String, Object> step) {
        final Map<String, Object> spec = object(step, "consumed");
        if (spec == null) return null;
        Consumed consumed = Consumed.with(SerdeSpecs.of(spec, "keySerde"), SerdeSpecs.of(spec, "valueSerde"));
        if (has(spec, "timestampExtractor")) {
            consumed = consumed.withTimestampExtractor(TimestampExtractors.of(text(spec, "timestampExtractor")));
        }
        return has(spec, "name") ? consumed.withName(text(spec, "name")) : consumed;
    }

    static Produced produced(final Map<String, Object> step) {
        final Map<String, Object> spec = object(step, "produced");
        if (spec == null) return null;
        final Produced produced = Produced.with(SerdeSpecs.of(spec, "keySerde"), SerdeSpecs.of(spec, "valueSerde"));
        return has(spec, "name") ? produced.withName(text(spec, "name")) : produced;
    }

    static Grouped grouped(final Map<String, Object> step) {
        final Map<String, Object> spec = object(step, "grouped");
        if (spec == null) return null;
        return Grouped.with(text(spec, "name"), SerdeSpecs.of(spec, "keySerde"), SerdeSpecs.of(spec, "valueSerde"));
    }

    static Joined joined(final Map<String, Object> step) {
        final Map<String, Object> spec = object(step, "joined");
        if (spec == null) return null;
        return Joined.with(
                SerdeSpecs.of(spec, "keySerde"),
                SerdeSpecs.of(spec, "valueSerde"),
                SerdeSpecs.of(spec, "otherValueSerde"),
                text(spec, "name"),
                millis(spec, "graceMs"));
    }

    static StreamJoined streamJoined(final Map<String, Object> step) {
        final Map<String, Object> spec = object(step, "streamJoined");
        if (spec == null) return null;
        StreamJoined joined = StreamJoined.with(
                SerdeSpecs.of(spec, "keySerde"),
                SerdeSpecs.of(spec, "valueSerde"),
                SerdeSpecs.of(spec, "otherValueSerde"));
        if (has(spec, "name")) joined = joined.withName(text(spec, "name"));
        if (has(spec, "storeName")) joined = joined.withStoreName(text(spec, "storeName"));
        if ("inMemory".equals(spec.get("store"))) joined = joined.withDslStoreSuppliers(new InMemoryStores());
        if (isFalse(spec, "logging")) joined = joined.withLoggingDisabled();
        if (has(spec, "thisStore"))
            joined = joined.withThisStoreSupplier(StoreSpecs.joinSide(object(spec, "thisStore")));
        if (has(spec, "otherStore"))
            joined = joined.withOtherStoreSupplier(StoreSpecs.joinSide(object(spec, "otherStore")));
        return joined;
    }

    static Repartitioned repartitioned(final Map<String, Object> step) {
        final Map<String, Object> spec = object(step, "repartitioned");
        if (spec == null) return null;
        Repartitioned repartitioned =
                Repartitioned.with(SerdeSpecs.of(spec, "keySerde"), SerdeSpecs.of(spec, "valueSerde"));
        if (has(spec, "name")) repartitioned = repartitioned.withName(text(spec, "name"));
        if (has(spec, "partitions"))
            repartitioned = repartitioned.withNumberOfPartitions(
                    whole(spec, "partitions").intValue());
        return repartitioned;
    }

    static Materialized materialized(final Map<String, Object> step) {
        final Map<String, Object> spec = object(step, "materialized");
        if (spec == null) return null;
        Materialized materialized;
        if ("versioned".equals(spec.get("type"))) materialized = Materialized.as(StoreSpecs.versioned(spec));
        else if (has(spec, "name")) materialized = Materialized.as(text(spec, "name"));
        else materialized = Materialized.with(null, null);
        if (has(spec, "keySerde")) materialized = materialized.withKeySerde(SerdeSpecs.of(spec, "keySerde"));
        if (has(spec, "valueSerde")) materialized = materialized.withValueSerde(SerdeSpecs.of(spec, "valueSerde"));
        if ("inMemory".equals(spec.get("store"))) materialized = materialized.withStoreType(new InMemoryStores());
        if ("persistent".equals(spec.get("store")))
            materialized = materialized.withStoreType(Materialized.StoreType.ROCKS_DB);
        if (has(spec, "retentionMs")) materialized = materialized.withRetention(millis(spec, "retentionMs"));
        if (isTrue(spec, "caching")) materialized = materialized.withCachingEnabled();
        if (isFalse(spec, "caching")) materialized = materialized.withCachingDisabled();
        return isFalse(spec, "logging") ? materialized.withLoggingDisabled() : materialized;
    }

    static Suppressed suppressed(final Map<String, Object> step) {
        final Map<String, Object> spec = object(step, "suppressed");
        final Suppressed.BufferConfig buffer = buffer(has(spec, "buffer") ? object(spec, "buffer") : Map.of());
        final Suppressed suppressed = "untilWindowCloses".equals(spec.get("type"))
                ? Suppressed.untilWindowCloses((Suppressed.StrictBufferConfig) buffer)
                : Suppressed.untilTimeLimit(millis(spec, "limitMs"), buffer);
        return has(spec, "name") ? suppressed.withName(text(spec, "name")) : suppressed;
    }

    private static Suppressed.BufferConfig buffer(final Map<String, Object> spec) {
        Suppressed.BufferConfig buffer = null;
        if (has(spec, "maxRecords")) buffer = Suppressed.BufferConfig.maxRecords(whole(spec, "maxRecords"));
        if (has(spec, "maxBytes")) {
            final long maxBytes = whole(spec, "maxBytes");
            buffer = buffer == null ? Suppressed.BufferConfig.maxBytes(maxBytes) : buffer.withMaxBytes(maxBytes);
        }
        if (buffer == null) buffer = Suppressed.BufferConfig.unbounded();
        else if ("shutDown".equals(spec.get("whenFull"))) buffer = buffer.shutDownWhenFull();
        else buffer = ((Suppressed.EagerBufferConfig) buffer).emitEarlyWhenFull();
        return isFalse(spec, "logging") ? buffer.withLoggingDisabled() : buffer;
    }
}
