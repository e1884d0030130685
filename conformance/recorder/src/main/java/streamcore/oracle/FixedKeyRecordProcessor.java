package streamcore.oracle;

import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** The processors of `processValues`. */
final class FixedKeyRecordProcessor implements FixedKeyProcessor<Object, Object, Object> {
    private final Map<String, Object> spec;
    private FixedKeyProcessorContext<Object, Object> context;
    private KeyKeepingProcessor keyKeeping;

    FixedKeyRecordProcessor(final Map<String, Object> spec) {
        this.spec = spec;
    }

    @Override
    public void init(final FixedKeyProcessorContext<Object, Object> context) {
        this.context = context;
        keyKeeping = new KeyKeepingProcessor(spec, context);
    }

    @Override
    public void process(final FixedKeyRecord<Object, Object> record) {
        keyKeeping.process(
                record.key(), record.value(), record.timestamp(), record.headers(), new KeyKeepingProcessor.Output() {
                    @Override
                    public void forward(final Object value, final long timestamp) {
                        context.forward(record.withValue(value).withTimestamp(timestamp));
                    }

                    @Override
                    public void forward(final Headers headers) {
                        context.forward(record.withHeaders(headers));
                    }
                });
    }
}
