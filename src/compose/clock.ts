/** The time of day, in milliseconds since 1970. The composition injects it everywhere. */
export const clock = (): number => Date.now();
