import { describe, expect, it } from "vitest";
import {
  addPoint,
  clear,
  isEmpty,
  newSession,
  probabilitiesOf,
  redo,
  removeBox,
  removePoint,
  replace,
  type Session,
  setBox,
  toPrompt,
  undo,
} from "../../app/annotate/session.ts";

const A = { x: 3, y: 4, label: 1 } as const;
const B = { x: 9, y: 2, label: 0 } as const;
const BOX = [1, 2, 8, 9] as const;
const PREVIOUS = { probabilities: new Float32Array([0.5]), model: 3 };

function through(...steps: ((session: Session) => Session)[]): Session {
  return steps.reduce((session, step) => step(session), newSession());
}

describe("a session", () => {
  it("keeps points in order, and one box", () => {
    const { now } = through(
      (s) => addPoint(s, A),
      (s) => setBox(s, [0, 0, 1, 1]),
      (s) => addPoint(s, B),
      (s) => setBox(s, BOX),
    );
    expect(now).toEqual({ points: [A, B], box: BOX, previous: null });
  });

  it("goes back and forth over every kind of step, to the very same values", () => {
    const steps = [
      (s: Session) => addPoint(s, A),
      (s: Session) => setBox(s, BOX, PREVIOUS),
      (s: Session) => removePoint(s, 0),
      (s: Session) => removeBox(s),
      (s: Session) => replace(s, [A, B], null),
      clear,
    ];
    const states = [newSession()];
    for (const step of steps) states.push(step(states.at(-1) as Session));
    let session = states.at(-1) as Session;
    for (let i = steps.length - 1; i >= 1; i--) {
      session = undo(session);
      // Identity, not equality: results are kept under it.
      expect(session.now).toBe((states[i] as Session).now);
    }
    for (let i = 2; i <= steps.length; i++) {
      session = redo(session);
      expect(session.now).toBe((states[i] as Session).now);
    }
    expect(redo(session)).toBe(session);
  });

  it("has nothing to undo at the start, and nothing to clear when it is empty", () => {
    const session = newSession();
    expect(undo(session)).toBe(session);
    expect(clear(session)).toBe(session);
    expect(isEmpty(session.now)).toBe(true);
  });

  it("forgets what was undone once something new is said", () => {
    const session = addPoint(undo(through((s) => addPoint(s, A))), B);
    expect(session.future).toEqual([]);
    expect(session.now.points).toEqual([B]);
  });

  it("starts over from no mask when a prompt is taken back by hand", () => {
    const session = through((s) => addPoint(s, A, PREVIOUS));
    expect(session.now.previous).toBe(PREVIOUS);
    expect(removePoint(session, 0).now.previous).toBeNull();
  });

  it("keeps its past bounded", () => {
    let session = newSession();
    for (let i = 0; i < 700; i++) session = addPoint(session, { x: i, y: 0, label: 1 });
    expect(session.past.length).toBe(500);
    expect(session.now.points.length).toBe(700);
  });
});

describe("the prompt for the model", () => {
  it("names only what is there", () => {
    expect(toPrompt(newSession().now, 3, true)).toEqual({ multimask: true });
    expect(toPrompt(through((s) => addPoint(s, A)).now, 3, false)).toEqual({ multimask: false, points: [A] });
  });

  it("gives the previous mask to the model that made it, and to no other", () => {
    const { now } = through((s) => setBox(s, BOX, PREVIOUS));
    expect(toPrompt(now, 3, true)).toEqual({ multimask: true, box: BOX, maskInput: PREVIOUS.probabilities });
    expect(toPrompt(now, 4, true)).toEqual({ multimask: true, box: BOX });
  });

  it("refines from the probabilities of the chosen candidate", () => {
    const logits = new Float32Array([9, 9, 0, Math.log(3), -40, 40]);
    expect([...probabilitiesOf(logits, 3, 1)]).toEqual([0.5, expect.closeTo(0.75, 6)]);
    expect([...probabilitiesOf(logits, 3, 2)]).toEqual([expect.closeTo(0, 6), 1]);
  });
});
