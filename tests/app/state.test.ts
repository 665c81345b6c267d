// The store: what listeners see where listeners change it too.
import { describe, expect, it } from "vitest";
import { initialState, type State, Store } from "../../app/state.ts";

const said = (state: State) => state.said;

describe("changes made by a listener", () => {
  it("reach every listener once, in order, without a state that is no more", () => {
    const store = new Store(initialState());
    const seen: string[] = [];
    store.subscribe((state, before) => seen.push(`first ${said(before)}>${said(state)}`));
    store.subscribe((state) => {
      if (state.said === "a") store.set({ said: "b" });
    });
    store.subscribe((state, before) => {
      expect(state).toBe(store.state);
      seen.push(`last ${said(before)}>${said(state)}`);
    });
    store.set({ said: "a" });
    expect(seen).toEqual(["first >a", "last >b", "first a>b"]);
    store.set({ said: "c" });
    expect(seen.slice(3)).toEqual(["first b>c", "last b>c"]);
  });

  it("are seen at once by whoever makes them", () => {
    const store = new Store(initialState());
    store.subscribe((state) => {
      if (state.said !== "a") return;
      store.set({ said: "b" });
      expect(store.state.said).toBe("b");
    });
    store.set({ said: "a" });
    expect(store.state.said).toBe("b");
  });

  it("end: listeners that change it for ever are told, and so is the next change after one that failed", () => {
    const store = new Store(initialState());
    let endless = true;
    store.subscribe((state) => {
      if (endless) store.set({ said: `${state.said}.` });
    });
    expect(() => store.set({ said: "a" })).toThrow("for ever");
    endless = false;
    store.set({ said: "z" });
    expect(store.state.said).toBe("z");
  });
});
