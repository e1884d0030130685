package streamcore.oracle;

import static streamcore.oracle.Fields.object;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Overloads.choose;

import java.util.Map;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Windows;

/** The steps on a grouped stream or table. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class GroupedSteps {
    private GroupedSteps() {}

    static Object apply(final KGroupedStream on, final Map<String, Object> step) {
        return switch (text(step, "op")) {
            case "count" -> choose(step, on::count, on::count, on::count, on::count);
            case "reduce" -> {
                final Reducer reducer = UserFunctions.reducer(step, "reducer");
                yield choose(
                        step,
                        () -> on.reduce(reducer),
                        n -> on.reduce(reducer, n, noOptions()),
                        m -> on.reduce(reducer, m),
                        (n, m) -> on.reduce(reducer, n, m));
            }
            case "aggregate" -> {
                final Initializer initializer = UserFunctions.initializer(step);
                final Aggregator aggregator = UserFunctions.aggregator(step, "aggregator");
                yield choose(
                        step,
                        () -> on.aggregate(initializer, aggregator),
                        n -> on.aggregate(initializer, aggregator, n, noOptions()),
                        m -> on.aggregate(initializer, aggregator, m),
                        (n, m) -> on.aggregate(initializer, aggregator, n, m));
            }
            case "windowedBy" -> windowedBy(on, step);
            case "cogroup" -> on.cogroup(UserFunctions.aggregator(step, "aggregator"));
            default -> throw new UnknownName("grouped stream op", step.get("op"));
        };
    }

    private static Object windowedBy(final KGroupedStream on, final Map<String, Object> step) {
        final Object windows = WindowSpecs.of(object(step, "windows"));
        if (windows instanceof SlidingWindows sliding) return on.windowedBy(sliding);
        if (windows instanceof SessionWindows session) return on.windowedBy(session);
        return on.windowedBy((Windows) windows);
    }

    static Object apply(final KGroupedTable on, final Map<String, Object> step) {
        return switch (text(step, "op")) {
            case "count" -> choose(step, on::count, on::count, on::count, on::count);
            case "reduce" -> {
                final Reducer adder = UserFunctions.reducer(step, "adder");
                final Reducer subtractor = UserFunctions.reducer(step, "subtractor");
                yield choose(
                        step,
                        () -> on.reduce(adder, subtractor),
                        n -> on.reduce(adder, subtractor, n, noOptions()),
                        m -> on.reduce(adder, subtractor, m),
                        (n, m) -> on.reduce(adder, subtractor, n, m));
            }
            case "aggregate" -> {
                final Initializer initializer = UserFunctions.initializer(step);
                final Aggregator adder = UserFunctions.aggregator(step, "adder");
                final Aggregator subtractor = UserFunctions.aggregator(step, "subtractor");
                yield choose(
                        step,
                        () -> on.aggregate(initializer, adder, subtractor),
                        n -> on.aggregate(initializer, adder, subtractor, n),
                        m -> on.aggregate(initializer, adder, subtractor, m),
                        (n, m) -> on.aggregate(initializer, adder, subtractor, n, m));
            }
            default -> throw new UnknownName("grouped table op", step.get("op"));
        };
    }

    /** Some methods take a name only together with a Materialized. */
    private static Materialized noOptions() {
        return Materialized.with(null, null);
    }
}
