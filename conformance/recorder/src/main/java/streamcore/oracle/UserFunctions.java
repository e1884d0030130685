package streamcore.oracle;

import java.util.Map;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Predicate;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueJoinerWithKey;
import org.apache.kafka.streams.kstream.ValueMapperWithKey;

/** The functions that a step names, as the DSL takes them. */
@SuppressWarnings("rawtypes")
final class UserFunctions {
    private UserFunctions() {}

    static Predicate predicate(final Map<String, Object> step) {
        final String name = Fields.text(step, "predicate");
        return (key, value) -> Functions.predicate(name, key, value);
    }

    static KeyValueMapper selector(final Map<String, Object> step) {
        final String name = Fields.text(step, "selector");
        return (key, value) -> Functions.selectKey(name, key, value);
    }

    static ValueMapperWithKey mapper(final Map<String, Object> step) {
        final String name = Fields.text(step, "mapper");
        return (key, value) -> Functions.mapValue(name, key, value);
    }

    static Initializer initializer(final Map<String, Object> step) {
        final String name = Fields.text(step, "initializer");
        return () -> Functions.initial(name);
    }

    /** `field`: aggregator, adder or subtractor. */
    static Aggregator aggregator(final Map<String, Object> step, final String field) {
        final String name = Fields.text(step, field);
        return (key, value, aggregate) -> Functions.aggregate(name, key, value, aggregate);
    }

    /** `field`: reducer, adder or subtractor. */
    static Reducer reducer(final Map<String, Object> step, final String field) {
        final String name = Fields.text(step, field);
        return (a, b) -> Functions.reduce(name, a, b);
    }

    static Merger merger(final Map<String, Object> step) {
        final String name = Fields.text(step, "merger");
        return (key, a, b) -> Functions.merge(name, key, a, b);
    }

    static ValueJoinerWithKey joiner(final Map<String, Object> step) {
        final String name = Fields.text(step, "joiner");
        return (key, a, b) -> Functions.join(name, key, a, b);
    }

    static ValueJoiner joinerWithoutKey(final Map<String, Object> step) {
        final String name = Fields.text(step, "joiner");
        return (a, b) -> Functions.join(name, null, a, b);
    }
}
