package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.isTrue;
import static streamcore.oracle.Fields.object;
import static streamcore.oracle.Fields.objects;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.textArray;
import static streamcore.oracle.Overloads.choose;
import static streamcore.oracle.Overloads.optionally;

import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueJoinerWithKey;
import org.apache.kafka.streams.kstream.ValueMapperWithKey;
import org.apache.kafka.streams.processor.RecordContext;
import org.apache.kafka.streams.processor.TopicNameExtractor;

/** The steps on a KStream. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class StreamSteps {
    private final DslTopology topology;

    StreamSteps(final DslTopology topology) {
        this.topology = topology;
    }

    Object apply(final KStream on, final Map<String, Object> step) {
        return switch (text(step, "op")) {
            case "filter" -> choose(
                    step,
                    () -> on.filter(UserFunctions.predicate(step)),
                    n -> on.filter(UserFunctions.predicate(step), n));
            case "filterNot" -> choose(
                    step,
                    () -> on.filterNot(UserFunctions.predicate(step)),
                    n -> on.filterNot(UserFunctions.predicate(step), n));
            case "selectKey" -> choose(
                    step,
                    () -> on.selectKey(UserFunctions.selector(step)),
                    n -> on.selectKey(UserFunctions.selector(step), n));
            case "mapValues" -> choose(
                    step,
                    () -> on.mapValues(UserFunctions.mapper(step)),
                    n -> on.mapValues(UserFunctions.mapper(step), n));
            case "map", "flatMap", "flatMapValues" -> map(on, step);
            case "peek" -> choose(
                    step, () -> on.peek((k, v) -> effect(step, k, v)), n -> on.peek((k, v) -> effect(step, k, v), n));
            case "foreach" -> foreach(on, step);
            case "split" -> split(on, step);
            case "merge" -> {
                final KStream other = (KStream) topology.result(step, "other");
                yield choose(step, () -> on.merge(other), n -> on.merge(other, n));
            }
            case "repartition" -> optionally(Options.repartitioned(step), on::repartition, on::repartition);
            case "to" -> to(on, step);
            case "toTable" -> choose(step, on::toTable, on::toTable, on::toTable, on::toTable);
            case "groupByKey" -> optionally(Options.grouped(step), on::groupByKey, on::groupByKey);
            case "groupBy" -> {
                final KeyValueMapper selector = UserFunctions.selector(step);
                yield optionally(Options.grouped(step), () -> on.groupBy(selector), g -> on.groupBy(selector, g));
            }
            case "process" -> {
                final String[] stores = textArray(step, "stores");
                yield choose(
                        step,
                        () -> on.process(Suppliers.processor(step), stores),
                        n -> on.process(Suppliers.processor(step), n, stores));
            }
            case "processValues" -> {
                final String[] stores = textArray(step, "stores");
                yield choose(
                        step,
                        () -> on.processValues(Suppliers.fixedKeyProcessor(step), stores),
                        n -> on.processValues(Suppliers.fixedKeyProcessor(step), n, stores));
            }
            case "join", "leftJoin", "outerJoin" -> join(on, step);
            default -> throw new UnknownName("stream op", step.get("op"));
        };
    }

    private void effect(final Map<String, Object> step, final Object key, final Object value) {
        topology.effects().add(step.get("id"), key, value);
    }

    private static Object map(final KStream on, final Map<String, Object> step) {
        final String name = text(step, "mapper");
        final KeyValueMapper pair = (key, value) -> Functions.mapPair(name, key, value);
        final KeyValueMapper pairs = (key, value) -> Functions.flatMapPair(name, key, value);
        final ValueMapperWithKey values = (key, value) -> Functions.flatMapValue(name, key, value);
        return switch (text(step, "op")) {
            case "map" -> choose(step, () -> on.map(pair), n -> on.map(pair, n));
            case "flatMap" -> choose(step, () -> on.flatMap(pairs), n -> on.flatMap(pairs, n));
            default -> choose(step, () -> on.flatMapValues(values), n -> on.flatMapValues(values, n));
        };
    }

    private Object foreach(final KStream on, final Map<String, Object> step) {
        if (has(step, "named")) on.foreach((key, value) -> effect(step, key, value), Options.named(step));
        else on.foreach((key, value) -> effect(step, key, value));
        return null;
    }

    private Object split(final KStream on, final Map<String, Object> step) {
        BranchedKStream branches = has(step, "named") ? on.split(Options.named(step)) : on.split();
        for (final Map<String, Object> branch : objects(step, "branches")) {
            branches = branches.branch(UserFunctions.predicate(branch), branched(branch));
        }
        if (has(step, "default")) branches.defaultBranch(branched(object(step, "default")));
        else branches.noDefaultBranch();
        return null;
    }

    private Branched branched(final Map<String, Object> branch) {
        final Consumer<KStream> keep = stream -> topology.keep(text(branch, "id"), stream);
        return has(branch, "name")
                ? Branched.withConsumer((Consumer) keep, text(branch, "name"))
                : Branched.withConsumer((Consumer) keep);
    }

    private static Object to(final KStream on, final Map<String, Object> step) {
        final Produced produced = Options.produced(step);
        if (has(step, "topicExtractor")) {
            final TopicNameExtractor extractor = topicExtractor(object(step, "topicExtractor"));
            if (produced == null) on.to(extractor);
            else on.to(extractor, produced);
        } else {
            final String topic = text(step, "topic");
            if (produced == null) on.to(topic);
            else on.to(topic, produced);
        }
        return null;
    }

    private static TopicNameExtractor topicExtractor(final Map<String, Object> spec) {
        return new TopicNameExtractor() {
            @Override
            public String extract(final Object key, final Object value, final RecordContext context) {
                return Functions.topicName(spec, value);
            }

            /** What describe() prints. */
            @Override
            public String toString() {
                return text(spec, "type");
            }
        };
    }

    private Object join(final KStream on, final Map<String, Object> step) {
        final Object other = topology.result(step, "other");
        if (other instanceof KStream stream) return joinStream(on, stream, step);
        return other instanceof KTable table
                ? joinTable(on, table, step)
                : joinGlobalTable(on, (GlobalKTable) other, step);
    }

    private static Object joinStream(final KStream on, final KStream other, final Map<String, Object> step) {
        final JoinWindows windows = WindowSpecs.join(object(step, "windows"));
        final ValueJoinerWithKey joiner = UserFunctions.joiner(step);
        final StreamJoined joined = Options.streamJoined(step);
        return switch (text(step, "op")) {
            case "join" -> optionally(
                    joined, () -> on.join(other, joiner, windows), j -> on.join(other, joiner, windows, j));
            case "leftJoin" -> optionally(
                    joined, () -> on.leftJoin(other, joiner, windows), j -> on.leftJoin(other, joiner, windows, j));
            default -> optionally(
                    joined, () -> on.outerJoin(other, joiner, windows), j -> on.outerJoin(other, joiner, windows, j));
        };
    }

    private static Object joinTable(final KStream on, final KTable table, final Map<String, Object> step) {
        final ValueJoinerWithKey joiner = UserFunctions.joiner(step);
        final Joined joined = Options.joined(step);
        return "join".equals(step.get("op"))
                ? optionally(joined, () -> on.join(table, joiner), j -> on.join(table, joiner, j))
                : optionally(joined, () -> on.leftJoin(table, joiner), j -> on.leftJoin(table, joiner, j));
    }

    private static Object joinGlobalTable(final KStream on, final GlobalKTable table, final Map<String, Object> step) {
        final KeyValueMapper selector = UserFunctions.selector(step);
        final boolean isInner = "join".equals(step.get("op"));
        if (isTrue(step, "joinerWithKey")) {
            final ValueJoinerWithKey joiner = UserFunctions.joiner(step);
            return isInner
                    ? choose(step, () -> on.join(table, selector, joiner), n -> on.join(table, selector, joiner, n))
                    : choose(
                            step,
                            () -> on.leftJoin(table, selector, joiner),
                            n -> on.leftJoin(table, selector, joiner, n));
        }
        final ValueJoiner joiner = UserFunctions.joinerWithoutKey(step);
        return isInner
                ? choose(step, () -> on.join(table, selector, joiner), n -> on.join(table, selector, joiner, n))
                : choose(
                        step, () -> on.leftJoin(table, selector, joiner), n -> on.leftJoin(table, selector, joiner, n));
    }
}
