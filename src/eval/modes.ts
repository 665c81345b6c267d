export const MODES = ["box", "1", "3", "5"] as const;

/** What a mask is asked for with: `box`, or the number of points. */
export type Mode = (typeof MODES)[number];
