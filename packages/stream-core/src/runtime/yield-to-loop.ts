/** Lets timers, sockets and whoever waits for the loop have their turn. */
export const yieldToLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
