package streamcore.oracle;

/**
 * How long one scenario may take. Random joins of joins can make millions of results, and windows a RocksDB for each minute of a
 * year: nothing is learnt from them that a smaller scenario does not tell.
 */
final class Budget {
    private static final long MILLIS = Long.getLong("scenario.budget.ms", 60_000);
    private static long endNanos = Long.MAX_VALUE;

    private Budget() {}

    /** An Error, which no handler of Kafka Streams takes for a record's. */
    static final class ScenarioTooLarge extends Error {
        private static final long serialVersionUID = 1L;

        ScenarioTooLarge() {
            super("it is not done after " + MILLIS + " ms", null, false, false);
        }
    }

    static void begin() {
        endNanos = System.nanoTime() + MILLIS * 1_000_000;
    }

    static void check() {
        if (System.nanoTime() - endNanos > 0) throw new ScenarioTooLarge();
    }
}
