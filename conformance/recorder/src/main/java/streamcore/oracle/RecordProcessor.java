package streamcore.oracle;

import static streamcore.oracle.Fields.text;

import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** The processors of `process` and of the low-level API. */
final class RecordProcessor implements Processor<Object, Object, Object, Object> {
    private final Map<String, Object> spec;
    private ProcessorContext<Object, Object> context;
    private KeyKeepingProcessor keyKeeping;

    RecordProcessor(final Map<String, Object> spec) {
        this.spec = spec;
    }

    @Override
    public void init(final ProcessorContext<Object, Object> context) {
        this.context = context;
        keyKeeping = new KeyKeepingProcessor(spec, context);
        if (Fields.has(spec, "punctuate")) new Punctuation(spec, context).schedule();
    }

    @Override
    public void process(final Record<Object, Object> record) {
        switch (text(spec, "type")) {
            case "rekey" -> context.forward(
                    record.withKey(Functions.selectKey(text(spec, "selector"), record.key(), record.value())));
            case "fanOut" -> {
                context.forward(record);
                context.forward(
                        record.withKey(Functions.str(record.key()) + "2").withTimestamp(record.timestamp() + 1));
            }
            case "route" -> context.forward(record, text(spec, Functions.even(record.value()) ? "even" : "odd"));
            default -> keyKeeping.process(
                    record.key(), record.value(), record.timestamp(), record.headers(), output(record));
        }
    }

    private KeyKeepingProcessor.Output output(final Record<Object, Object> record) {
        return new KeyKeepingProcessor.Output() {
            @Override
            public void forward(final Object value, final long timestamp) {
                context.forward(record.withValue(value).withTimestamp(timestamp));
            }

            @Override
            public void forward(final Headers headers) {
                context.forward(record.withHeaders(headers));
            }
        };
    }
}
