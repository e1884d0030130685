package streamcore.oracle;

import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Overloads.choose;

import java.util.Map;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;

/** The steps on a windowed stream. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class WindowedSteps {
    private WindowedSteps() {}

    static Object apply(final TimeWindowedKStream on, final Map<String, Object> step) {
        return switch (text(step, "op")) {
            case "emitStrategy" -> on.emitStrategy(emitStrategy(step));
            case "count" -> choose(step, on::count, on::count, on::count, on::count);
            case "reduce" -> {
                final Reducer reducer = UserFunctions.reducer(step, "reducer");
                yield choose(
                        step,
                        () -> on.reduce(reducer),
                        n -> on.reduce(reducer, n),
                        m -> on.reduce(reducer, m),
                        (n, m) -> on.reduce(reducer, n, m));
            }
            case "aggregate" -> {
                final Initializer initializer = UserFunctions.initializer(step);
                final Aggregator aggregator = UserFunctions.aggregator(step, "aggregator");
                yield choose(
                        step,
                        () -> on.aggregate(initializer, aggregator),
                        n -> on.aggregate(initializer, aggregator, n),
                        m -> on.aggregate(initializer, aggregator, m),
                        (n, m) -> on.aggregate(initializer, aggregator, n, m));
            }
            default -> throw new UnknownName("windowed stream op", step.get("op"));
        };
    }

    static Object apply(final SessionWindowedKStream on, final Map<String, Object> step) {
        return switch (text(step, "op")) {
            case "emitStrategy" -> on.emitStrategy(emitStrategy(step));
            case "count" -> choose(step, on::count, on::count, on::count, on::count);
            case "reduce" -> {
                final Reducer reducer = UserFunctions.reducer(step, "reducer");
                yield choose(
                        step,
                        () -> on.reduce(reducer),
                        n -> on.reduce(reducer, n),
                        m -> on.reduce(reducer, m),
                        (n, m) -> on.reduce(reducer, n, m));
            }
            case "aggregate" -> {
                final Initializer initializer = UserFunctions.initializer(step);
                final Aggregator aggregator = UserFunctions.aggregator(step, "aggregator");
                final Merger merger = UserFunctions.merger(step);
                yield choose(
                        step,
                        () -> on.aggregate(initializer, aggregator, merger),
                        n -> on.aggregate(initializer, aggregator, merger, n),
                        m -> on.aggregate(initializer, aggregator, merger, m),
                        (n, m) -> on.aggregate(initializer, aggregator, merger, n, m));
            }
            default -> throw new UnknownName("session windowed stream op", step.get("op"));
        };
    }

    private static EmitStrategy emitStrategy(final Map<String, Object> step) {
        return switch (text(step, "strategy")) {
            case "onWindowClose" -> EmitStrategy.onWindowClose();
            case "onWindowUpdate" -> EmitStrategy.onWindowUpdate();
            default -> throw new UnknownName("emit strategy", step.get("strategy"));
        };
    }
}
