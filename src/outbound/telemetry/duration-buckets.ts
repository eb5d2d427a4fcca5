/** Upper bounds of all histograms, in seconds: from a read of a record to the longest call of an image model. */
export const durationBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
];
