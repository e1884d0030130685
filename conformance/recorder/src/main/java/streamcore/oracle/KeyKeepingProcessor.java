package streamcore.oracle;

import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.whole;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ProcessingContext;

/** The processors that keep the record's key: those that `process` and `processValues` have in common. */
final class KeyKeepingProcessor {
    private final Map<String, Object> spec;
    private final ProcessingContext context;
    private final StoreProcessors stores;

    KeyKeepingProcessor(final Map<String, Object> spec, final ProcessingContext context) {
        this.spec = spec;
        this.context = context;
        this.stores = new StoreProcessors(spec, context);
    }

    /** What the processor forwards under the record's key. */
    interface Output {
        void forward(Object value, long timestamp);

        void forward(Headers headers);
    }

    void process(
            final Object key, final Object value, final long timestamp, final Headers headers, final Output output) {
        switch (text(spec, "type")) {
            case "drop" -> {}
            case "forward" -> output.forward(value, timestamp);
            case "shiftTimestamp" -> output.forward(value, timestamp + whole(spec, "ms"));
            case "recordInfo" -> output.forward(recordInfo(), timestamp);
            case "failOnBoom" -> output.forward(Functions.failOnBoom(value), timestamp);
            case "addHeader" -> {
                final String added = text(spec, "value");
                final byte[] bytes = added == null ? null : added.getBytes(StandardCharsets.UTF_8);
                output.forward(new RecordHeaders(headers).add(text(spec, "header"), bytes));
            }
            case "removeHeader" -> output.forward(new RecordHeaders(headers).remove(text(spec, "header")));
            default -> stores.process(key, value, timestamp, output);
        }
    }

    private String recordInfo() {
        return context.recordMetadata()
                        .map(m -> m.topic() + "/" + m.partition() + "/" + m.offset())
                        .orElse("-") + "@" + context.currentStreamTimeMs();
    }
}
