/**
 * True in `npm test` without `--all`, which leaves out what takes minutes: files called `*.large.test.ts`, and parts of others that ask here.
 * CI, `npm test -- --all`, a run by name and vitest itself leave nothing out.
 */
export const QUICK = process.env["SAM_MED2D_QUICK"] === "1";
