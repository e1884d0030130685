package streamcore.oracle;

/** What the user functions that fail throw. */
public final class UserFunctionError extends RuntimeException {
    UserFunctionError(final String message) {
        super(message);
    }
}
