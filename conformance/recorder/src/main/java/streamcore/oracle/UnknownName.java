package streamcore.oracle;

/** The scenario names something that the format does not define: no recording can come of it. */
public final class UnknownName extends RuntimeException {
    UnknownName(final String kind, final Object name) {
        super("unknown " + kind + ": " + name);
    }
}
