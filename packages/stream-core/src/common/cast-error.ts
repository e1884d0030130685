/** A value is of another type than the one who takes it needs: where Java has a ClassCastException. */
export class CastError extends TypeError {}
