/** As in Java, a pattern has to match the whole name of a topic. */
export const matchesTopic = (pattern: RegExp, topic: string): boolean =>
  new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace('g', '')).test(topic)
