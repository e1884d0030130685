package streamcore.oracle;

import static streamcore.oracle.Fields.has;
import static streamcore.oracle.Fields.millis;
import static streamcore.oracle.Fields.text;
import static streamcore.oracle.Fields.whole;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;

/** A scenario's windows. Without `graceMs` they come from the `…WithNoGrace` factory. */
final class WindowSpecs {
    private WindowSpecs() {}

    /** TimeWindows, SlidingWindows, SessionWindows or UnlimitedWindows, which have no type in common. */
    static Object of(final Map<String, Object> spec) {
        return switch (text(spec, "type")) {
            case "time" -> time(spec);
            case "sliding" -> sliding(spec);
            case "session" -> session(spec);
            case "unlimited" -> unlimited(spec);
            default -> throw new UnknownName("windows", spec);
        };
    }

    private static TimeWindows time(final Map<String, Object> spec) {
        final Duration size = millis(spec, "sizeMs");
        final Duration grace = millis(spec, "graceMs");
        final TimeWindows windows =
                grace == null ? TimeWindows.ofSizeWithNoGrace(size) : TimeWindows.ofSizeAndGrace(size, grace);
        return has(spec, "advanceMs") ? windows.advanceBy(millis(spec, "advanceMs")) : windows;
    }

    private static SlidingWindows sliding(final Map<String, Object> spec) {
        final Duration difference = millis(spec, "differenceMs");
        final Duration grace = millis(spec, "graceMs");
        return grace == null
                ? SlidingWindows.ofTimeDifferenceWithNoGrace(difference)
                : SlidingWindows.ofTimeDifferenceAndGrace(difference, grace);
    }

    private static SessionWindows session(final Map<String, Object> spec) {
        final Duration gap = millis(spec, "gapMs");
        final Duration grace = millis(spec, "graceMs");
        return grace == null
                ? SessionWindows.ofInactivityGapWithNoGrace(gap)
                : SessionWindows.ofInactivityGapAndGrace(gap, grace);
    }

    private static UnlimitedWindows unlimited(final Map<String, Object> spec) {
        final UnlimitedWindows windows = UnlimitedWindows.of();
        return has(spec, "startMs") ? windows.startOn(Instant.ofEpochMilli(whole(spec, "startMs"))) : windows;
    }

    static JoinWindows join(final Map<String, Object> spec) {
        if (!"join".equals(spec.get("type"))) throw new UnknownName("join windows", spec);
        final Duration difference = millis(spec, "differenceMs");
        final Duration grace = millis(spec, "graceMs");
        JoinWindows windows = grace == null
                ? JoinWindows.ofTimeDifferenceWithNoGrace(difference)
                : JoinWindows.ofTimeDifferenceAndGrace(difference, grace);
        if (has(spec, "beforeMs")) windows = windows.before(millis(spec, "beforeMs"));
        if (has(spec, "afterMs")) windows = windows.after(millis(spec, "afterMs"));
        return windows;
    }
}
