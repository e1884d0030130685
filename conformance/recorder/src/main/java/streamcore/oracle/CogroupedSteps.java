package streamcore.oracle;

import static streamcore.oracle.Fields.object;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Overloads.choose;

import java.util.Map;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.SessionWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.Windows;

/** The steps on a cogrouped stream, windowed or not. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class CogroupedSteps {
    private final DslTopology topology;

    CogroupedSteps(final DslTopology topology) {
        this.topology = topology;
    }

    Object apply(final CogroupedKStream on, final Map<String, Object> step) {
        return switch (text(step, "op")) {
            case "cogroup" -> on.cogroup(
                    (KGroupedStream) topology.result(step, "other"), UserFunctions.aggregator(step, "aggregator"));
            case "aggregate" -> {
                final Initializer initializer = UserFunctions.initializer(step);
                yield choose(
                        step,
                        () -> on.aggregate(initializer),
                        n -> on.aggregate(initializer, n),
                        m -> on.aggregate(initializer, m),
                        (n, m) -> on.aggregate(initializer, n, m));
            }
            case "windowedBy" -> windowedBy(on, step);
            default -> throw new UnknownName("cogrouped stream op", step.get("op"));
        };
    }

    private static Object windowedBy(final CogroupedKStream on, final Map<String, Object> step) {
        final Object windows = WindowSpecs.of(object(step, "windows"));
        if (windows instanceof SlidingWindows sliding) return on.windowedBy(sliding);
        if (windows instanceof SessionWindows session) return on.windowedBy(session);
        return on.windowedBy((Windows) windows);
    }

    static Object aggregate(final TimeWindowedCogroupedKStream on, final Map<String, Object> step) {
        requireAggregate(step);
        final Initializer initializer = UserFunctions.initializer(step);
        return choose(
                step,
                () -> on.aggregate(initializer),
                n -> on.aggregate(initializer, n),
                m -> on.aggregate(initializer, m),
                (n, m) -> on.aggregate(initializer, n, m));
    }

    static Object aggregate(final SessionWindowedCogroupedKStream on, final Map<String, Object> step) {
        requireAggregate(step);
        final Initializer initializer = UserFunctions.initializer(step);
        final Merger merger = UserFunctions.merger(step);
        return choose(
                step,
                () -> on.aggregate(initializer, merger),
                n -> on.aggregate(initializer, merger, n),
                m -> on.aggregate(initializer, merger, m),
                (n, m) -> on.aggregate(initializer, merger, n, m));
    }

    private static void requireAggregate(final Map<String, Object> step) {
        if (!"aggregate".equals(step.get("op"))) throw new UnknownName("windowed cogrouped stream op", step.get("op"));
    }
}
