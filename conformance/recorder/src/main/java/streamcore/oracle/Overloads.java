package streamcore.oracle;

import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;

/** Chooses the overload of a DSL method by the options that a step gives: an option left out must not be passed. */
@SuppressWarnings("rawtypes")
final class Overloads {
    private Overloads() {}

    static Object choose(
            final Map<String, Object> step, final Supplier<Object> plain, final Function<Named, Object> withName) {
        final Named named = Options.named(step);
        return named == null ? plain.get() : withName.apply(named);
    }

    static Object choose(
            final Map<String, Object> step,
            final Supplier<Object> plain,
            final Function<Named, Object> withName,
            final Function<Materialized, Object> withStore,
            final BiFunction<Named, Materialized, Object> withBoth) {
        final Named named = Options.named(step);
        final Materialized materialized = Options.materialized(step);
        if (materialized == null) return named == null ? plain.get() : withName.apply(named);
        return named == null ? withStore.apply(materialized) : withBoth.apply(named, materialized);
    }

    /** For a method with an optional configuration object: null stands for one that is left out. */
    static <T> Object optionally(final T option, final Supplier<Object> plain, final Function<T, Object> with) {
        return option == null ? plain.get() : with.apply(option);
    }
}
