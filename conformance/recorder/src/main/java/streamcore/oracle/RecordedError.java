package streamcore.oracle;

import java.util.LinkedHashMap;
import java.util.Map;

/** What is recorded of an exception. */
final class RecordedError {
    private RecordedError() {}

    /** `step`: index of the stimulus, null outside of them. */
    static Map<String, Object> of(final String phase, final Integer step, final Throwable thrown) {
        Throwable root = thrown;
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnknownName) throw (UnknownName) cause;
            root = cause;
        }
        final Map<String, Object> error = new LinkedHashMap<>();
        error.put("phase", phase);
        if (step != null) error.put("step", step);
        error.put("class", thrown.getClass().getSimpleName());
        if (root != thrown) error.put("rootCause", root.getClass().getSimpleName());
        error.put("message", withoutIdentities(String.valueOf(root.getMessage())));
        return error;
    }

    /** Objects without toString() print their identity hash, which differs from run to run. */
    private static String withoutIdentities(final String message) {
        return message.replaceAll("@[0-9a-f]{4,}", "@x");
    }
}
