package streamcore.oracle;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.kstream.ValueTransformerWithKeySupplier;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;

/** Suppliers of a step's processor, together with the stores they bring along. */
@SuppressWarnings("rawtypes")
final class Suppliers {
    private Suppliers() {}

    static ProcessorSupplier processor(final Map<String, Object> step) {
        final Map<String, Object> spec = Fields.object(step, "processor");
        return new ProcessorSupplier() {
            @Override
            public Processor get() {
                return new RecordProcessor(spec);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return StoreSpecs.own(step);
            }
        };
    }

    static FixedKeyProcessorSupplier fixedKeyProcessor(final Map<String, Object> step) {
        final Map<String, Object> spec = Fields.object(step, "processor");
        return new FixedKeyProcessorSupplier() {
            @Override
            public FixedKeyProcessor get() {
                return new FixedKeyRecordProcessor(spec);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return StoreSpecs.own(step);
            }
        };
    }

    static ValueTransformerWithKeySupplier transformer(final Map<String, Object> step) {
        final Map<String, Object> spec = Fields.object(step, "transformer");
        return new ValueTransformerWithKeySupplier() {
            @Override
            public ValueTransformerWithKey get() {
                return new TableTransformer(spec);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return StoreSpecs.own(step);
            }
        };
    }
}
