package streamcore.oracle;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.streams.processor.FailOnInvalidTimestamp;
import org.apache.kafka.streams.processor.LogAndSkipOnInvalidTimestamp;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.UsePartitionTimeOnInvalidTimestamp;

final class TimestampExtractors {
    private TimestampExtractors() {}

    static TimestampExtractor of(final String name) {
        return switch (name) {
            case "failOnInvalid" -> new FailOnInvalidTimestamp();
            case "logAndSkipOnInvalid" -> new LogAndSkipOnInvalidTimestamp();
            case "usePartitionTimeOnInvalid" -> new UsePartitionTimeOnInvalidTimestamp();
            case "valueNumber" -> new ValueNumber();
            default -> throw new UnknownName("timestamp extractor", name);
        };
    }

    /** Public, with a public constructor: a default extractor is created by its class. */
    public static final class ValueNumber implements TimestampExtractor {
        @Override
        public long extract(final ConsumerRecord<Object, Object> record, final long partitionTime) {
            return record.value() == null ? partitionTime : Functions.num(record.value());
        }
    }
}
