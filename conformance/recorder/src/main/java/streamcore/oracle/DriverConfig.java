package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.isTrue;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.whole;

import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;

/** A scenario's `config` as the properties of the application. */
final class DriverConfig {
    private DriverConfig() {}

    static Properties of(final Map<String, Object> config, final Path stateDir) {
        final Properties p = new Properties();
        p.put("application.id", "app");
        p.put("bootstrap.servers", "none:9092");
        p.put("state.dir", stateDir.toString());
        p.put(
                "statestore.cache.max.bytes",
                has(config, "cacheBytes") ? config.get("cacheBytes").toString() : "0");
        if (has(config, "optimization")) p.put("topology.optimization", config.get("optimization"));
        if (has(config, "defaultKeySerde")) p.put("default.key.serde", serdeClass(config, "defaultKeySerde"));
        if (has(config, "defaultValueSerde")) p.put("default.value.serde", serdeClass(config, "defaultValueSerde"));
        if (has(config, "timestampExtractor")) {
            p.put(
                    "default.timestamp.extractor",
                    TimestampExtractors.of(text(config, "timestampExtractor")).getClass());
        }
        if ("inMemory".equals(config.get("dslStore"))) p.put("dsl.store.suppliers.class", InMemoryStores.class);
        if ("continue".equals(config.get("deserializationHandler"))) {
            p.put("deserialization.exception.handler", LogAndContinueExceptionHandler.class);
        }
        if ("continue".equals(config.get("processingHandler"))) {
            p.put("processing.exception.handler", LogAndContinueProcessingExceptionHandler.class);
        }
        if (isTrue(config, "processValuesFix")) p.put("__enable.process.processValue.fix__", "true");
        if (isTrue(config, "requireExplicitNames")) p.put("ensure.explicit.internal.resource.naming", true);
        if (has(config, "emitIntervalMs")) {
            final Long interval = whole(config, "emitIntervalMs");
            p.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", interval);
            p.put("__emit.interval.ms.kstreams.windowed.aggregation__", interval);
        }
        return p;
    }

    private static Class<?> serdeClass(final Map<String, Object> config, final String field) {
        return SerdeSpecs.of(config, field).getClass();
    }
}
