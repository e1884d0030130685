package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.object;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.textArray;
import static streamcore.oracle.Overloads.choose;
import static streamcore.oracle.Overloads.optionally;

import java.util.Map;
import java.util.function.BiFunction;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Predicate;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueMapperWithKey;
import org.apache.kafka.streams.kstream.ValueTransformerWithKeySupplier;

/** The steps on a KTable. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class TableSteps {
    private final DslTopology topology;

    TableSteps(final DslTopology topology) {
        this.topology = topology;
    }

    Object apply(final KTable on, final Map<String, Object> step) {
        return switch (text(step, "op")) {
            case "filter" -> {
                final Predicate predicate = UserFunctions.predicate(step);
                yield choose(
                        step,
                        () -> on.filter(predicate),
                        n -> on.filter(predicate, n),
                        m -> on.filter(predicate, m),
                        (n, m) -> on.filter(predicate, n, m));
            }
            case "filterNot" -> {
                final Predicate predicate = UserFunctions.predicate(step);
                yield choose(
                        step,
                        () -> on.filterNot(predicate),
                        n -> on.filterNot(predicate, n),
                        m -> on.filterNot(predicate, m),
                        (n, m) -> on.filterNot(predicate, n, m));
            }
            case "mapValues" -> {
                final ValueMapperWithKey mapper = UserFunctions.mapper(step);
                yield choose(
                        step,
                        () -> on.mapValues(mapper),
                        n -> on.mapValues(mapper, n),
                        m -> on.mapValues(mapper, m),
                        (n, m) -> on.mapValues(mapper, n, m));
            }
            case "transformValues" -> {
                final ValueTransformerWithKeySupplier transformer = Suppliers.transformer(step);
                final String[] stores = textArray(step, "stores");
                yield choose(
                        step,
                        () -> on.transformValues(transformer, stores),
                        n -> on.transformValues(transformer, n, stores),
                        m -> on.transformValues(transformer, m, stores),
                        (n, m) -> on.transformValues(transformer, m, n, stores));
            }
            case "toStream" -> {
                if (!has(step, "selector")) yield choose(step, on::toStream, on::toStream);
                final KeyValueMapper selector = UserFunctions.selector(step);
                yield choose(step, () -> on.toStream(selector), n -> on.toStream(selector, n));
            }
            case "suppress" -> on.suppress(Options.suppressed(step));
            case "groupBy" -> {
                final String name = text(step, "selector");
                final KeyValueMapper selector = (key, value) -> Functions.groupPair(name, key, value);
                yield optionally(Options.grouped(step), () -> on.groupBy(selector), g -> on.groupBy(selector, g));
            }
            case "join", "leftJoin", "outerJoin" -> {
                final KTable other = (KTable) topology.result(step, "other");
                yield has(step, "foreignKey") ? joinForeignKey(on, other, step) : join(on, other, step);
            }
            default -> throw new UnknownName("table op", step.get("op"));
        };
    }

    private static Object join(final KTable on, final KTable other, final Map<String, Object> step) {
        final ValueJoiner joiner = UserFunctions.joinerWithoutKey(step);
        return switch (text(step, "op")) {
            case "join" -> choose(
                    step,
                    () -> on.join(other, joiner),
                    n -> on.join(other, joiner, n),
                    m -> on.join(other, joiner, m),
                    (n, m) -> on.join(other, joiner, n, m));
            case "leftJoin" -> choose(
                    step,
                    () -> on.leftJoin(other, joiner),
                    n -> on.leftJoin(other, joiner, n),
                    m -> on.leftJoin(other, joiner, m),
                    (n, m) -> on.leftJoin(other, joiner, n, m));
            default -> choose(
                    step,
                    () -> on.outerJoin(other, joiner),
                    n -> on.outerJoin(other, joiner, n),
                    m -> on.outerJoin(other, joiner, m),
                    (n, m) -> on.outerJoin(other, joiner, n, m));
        };
    }

    private static Object joinForeignKey(final KTable on, final KTable other, final Map<String, Object> step) {
        final String name = text(step, "foreignKey");
        final BiFunction extractor = (key, value) -> Functions.foreignKey(name, key, value);
        final ValueJoiner joiner = UserFunctions.joinerWithoutKey(step);
        final Materialized store = Options.materialized(step);
        final TableJoined joined =
                has(step, "tableJoined") ? TableJoined.as(text(object(step, "tableJoined"), "name")) : null;
        if ("join".equals(step.get("op"))) {
            return store == null
                    ? optionally(
                            joined, () -> on.join(other, extractor, joiner), j -> on.join(other, extractor, joiner, j))
                    : optionally(
                            joined,
                            () -> on.join(other, extractor, joiner, store),
                            j -> on.join(other, extractor, joiner, j, store));
        }
        return store == null
                ? optionally(
                        joined,
                        () -> on.leftJoin(other, extractor, joiner),
                        j -> on.leftJoin(other, extractor, joiner, j))
                : optionally(
                        joined,
                        () -> on.leftJoin(other, extractor, joiner, store),
                        j -> on.leftJoin(other, extractor, joiner, j, store));
    }
}
