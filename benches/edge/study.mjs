// What the case study published, by the number of concurrent requests; its model and its machines are not known.
export const STUDY = { 10: { answered: 99.8, meanMs: 850 }, 50: { answered: 99.2, meanMs: 1200 }, 100: { answered: 98.1, meanMs: 1800 }, 500: { answered: 96.3, meanMs: 3200 } };
