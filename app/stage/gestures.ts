// Mouse, pen and fingers on the stage, turned into prompts and strokes in original pixels.
import type { Box } from "../../src/index.ts";
import type { Tool } from "../state.ts";
import type { Stage } from "./stage.ts";
import { boxBetween, nearestPixel, type Pixel, panned, pixelAt, type Size, toImage, zoomed } from "./view.ts";

export type StrokeKind = "brush" | "eraser" | "lasso" | "scribble" | "ruler" | "axes";
export type Spot = readonly [x: number, y: number];

/** What is under the pointer to be dragged: a point, edges of the box, a corner of the outline, there already or made of an edge. */
export type Grip =
  | { readonly kind: "point"; readonly index: number }
  | { readonly kind: "box"; readonly sides: readonly [boolean, boolean, boolean, boolean] }
  | { readonly kind: "corner"; readonly ring: number; readonly index: number; readonly made: boolean };

interface GestureTarget {
  readonly image: () => Size | null;
  readonly tool: () => Tool;
  /** Whether a key is held that makes every drag move the image. */
  readonly pans: () => boolean;
  point(pixel: Pixel, label: 0 | 1): void;
  /** A box that is being drawn, or none any more. */
  draft(box: Box | null): void;
  box(box: Box): void;
  /** Original pixels as real numbers; `negative` with the right button, `done` when the pointer is let go. */
  stroke(kind: StrokeKind, points: readonly Spot[], negative: boolean, done: boolean, pressure: number): void;
  /** What can be dragged at this place on the stage. */
  grip(x: number, y: number): Grip | null;
  drag(grip: Grip, to: Pixel, done: boolean): void;
  /** The corner of the outline at this place on the stage goes. */
  cut(x: number, y: number): void;
  /** The object under a click. */
  pick(pixel: Pixel): void;
  /** The menu of the object under a pixel, at a place in the window; by key of the current one. */
  menu(at: { readonly pixel: Pixel; readonly x: number; readonly y: number } | null): void;
  hover(pixel: Pixel | null): void;
  /** The right button was dragged by so many CSS pixels; false where that means nothing. */
  window(dx: number, dy: number): boolean;
  /** The crosshair between the planes is put on a pixel; false where there is none. */
  cross(pixel: Pixel): boolean;
  /** The wheel was turned by so many slices; false where there are none, and it zooms. */
  scroll(steps: number): boolean;
  undo(): void;
}

/** CSS pixels a pointer may stray within a click: a hand trembles. */
const SLACK = { mouse: 8, touch: 10 } as const;

/** CSS pixels; a box with a shorter side on the screen was not meant. */
const LEAST_BOX = 8;

const LONG_PRESS_MS = 500;
/** Fingers that come down this soon after a pen are its hand's palm. */
const PALM_MS = 800;
const TAP_MS = 300;

const STROKES: ReadonlySet<Tool> = new Set(["brush", "eraser", "lasso", "scribble", "ruler", "axes"]);

interface Press {
  readonly id: number;
  readonly button: number;
  readonly x: number;
  readonly y: number;
  readonly clientX: number;
  readonly clientY: number;
  /** The original pixel under it, null beside the image: the stage may change its size before the pointer is let go. */
  readonly pixel: Pixel | null;
  /** The one of the image that is nearest. */
  readonly start: Pixel;
  readonly slack: number;
  /** Under a pen no finger counts. */
  readonly pen: boolean;
  /** Whether dragging draws a box, a stroke, moves a prompt, or moves the image; else a drag is no prompt at all. */
  readonly does: "box" | StrokeKind | "grip" | "pan" | "cross" | "nothing";
  readonly grip: Grip | null;
  readonly points: Spot[];
  moved: boolean;
}

/** What goes on while a pointer is down, or between two taps. */
export interface Gestures {
  /** Whether the first corner of a box is set, and the other one is waited for. */
  readonly waits: boolean;
  /** Gives up what is being drawn; false when there is nothing. */
  cancel(): boolean;
}

export function listenForGestures(element: HTMLElement, stage: Stage, target: GestureTarget): Gestures {
  const fingers = new Map<number, Finger>();
  let press: Press | null = null;
  /** The first corner of a box drawn by two taps, for those who can't drag. */
  let corner: Pixel | null = null;
  let holding: ReturnType<typeof setTimeout> | undefined;
  let penAt = Number.NEGATIVE_INFINITY;
  let twoAt = 0;
  let tappedAt = 0;

  const place = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
    const { left, top } = element.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  const cancelBox = () => {
    corner = null;
    target.draft(null);
  };
  const dropPress = () => {
    clearTimeout(holding);
    if (press && STROKES.has(press.does as Tool)) target.stroke(press.does as StrokeKind, [], false, false, 0);
    press = null;
    cancelBox();
  };

  element.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const byKey = event.button !== 2 && (event as PointerEvent).pointerType !== "touch";
    if (byKey && target.tool() === "select") target.menu(null);
  });

  element.addEventListener("pointerdown", (event) => {
    const image = target.image();
    if (!image || (event.target as Element).closest("button")) return;
    const at = place(event);
    const touch = event.pointerType === "touch";
    if (event.pointerType === "pen") {
      penAt = event.timeStamp;
      // The hand may have come down before its pen.
      fingers.clear();
      clearTimeout(holding);
    }
    if (touch && (press?.pen || event.timeStamp - penAt < PALM_MS)) return;
    if (touch) fingers.set(event.pointerId, { ...at, moved: false });
    if (fingers.size === 2) {
      dropPress();
      twoAt = event.timeStamp;
      return;
    }
    const does = whatItDoes(event, touch, at);
    const start = nearestPixel(stage.view, image, at.x, at.y);
    const grip = does === "grip" ? target.grip(at.x, at.y) : null;
    const { button, pointerId: id } = event;
    const { clientX, clientY } = event;
    const pixel = pixelAt(stage.view, image, at.x, at.y);
    press = {
      id,
      button,
      ...at,
      clientX,
      clientY,
      pixel,
      start,
      slack: SLACK[touch ? "touch" : "mouse"],
      pen: event.pointerType === "pen",
      does,
      grip,
      points: [toImage(stage.view, at.x, at.y)],
      moved: false,
    };
    if (does === "pan") event.preventDefault();
    if (does === "cross") target.cross(start);
    if (does === "brush" || does === "eraser") target.stroke(does, press.points, button === 2, false, event.pressure);
    if (touch && does !== "pan" && does !== "cross") holding = setTimeout(() => longPress(image), LONG_PRESS_MS);
    try {
      element.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already; the gesture ends with it.
    }
  });

  function whatItDoes({ button, altKey, shiftKey }: PointerEvent, touch: boolean, at: { x: number; y: number }): Press["does"] {
    const tool = target.tool();
    if (button === 1 || (button === 0 && (altKey || target.pans()))) return "pan";
    if (button === 0 && (tool === "cross" || shiftKey)) return "cross";
    if (STROKES.has(tool) && (button === 0 || button === 2)) return tool as StrokeKind;
    if (button !== 0) return "nothing";
    if ((tool === "select" || tool === "box" || tool === "outline") && target.grip(at.x, at.y)) return "grip";
    if (tool === "select" || tool === "outline") return "pan";
    if (!touch || tool === "box") return "box";
    return stage.zoomedIn ? "pan" : "nothing";
  }

  function longPress(image: Size): void {
    const outline = target.tool() === "outline";
    if (!press || press.moved || (press.does === "grip" && !outline) || STROKES.has(press.does as Tool)) return;
    const { x, y, clientX, clientY } = press;
    const pixel = pixelAt(stage.view, image, x, y);
    press = null;
    if (outline) target.cut(x, y);
    else if (pixel && target.tool() === "select") target.menu({ pixel, x: clientX, y: clientY });
    else if (pixel) target.point(pixel, 0);
  }

  element.addEventListener("pointermove", (event) => {
    const image = target.image();
    if (!image) return;
    if (event.pointerType === "pen") penAt = event.timeStamp;
    const at = place(event);
    target.hover(pixelAt(stage.view, image, at.x, at.y));
    const finger = fingers.get(event.pointerId);
    if (finger) {
      const before = new Map(fingers);
      fingers.set(event.pointerId, { ...at, moved: finger.moved || fingers.size < 2 || Math.hypot(at.x - finger.x, at.y - finger.y) > 4 });
      if (fingers.size === 2) return pinch(image, before);
    }
    if (press?.id === event.pointerId) return drag(image, press, at, event);
    if (corner) target.draft(boxBetween(corner, nearestPixel(stage.view, image, at.x, at.y)));
  });

  function drag(image: Size, held: Press, at: { x: number; y: number }, event: PointerEvent): void {
    // In the window: a layout that moves under a still pointer is no drag.
    held.moved ||= Math.hypot(event.clientX - held.clientX, event.clientY - held.clientY) > held.slack;
    if (held.moved) clearTimeout(holding);
    const to = nearestPixel(stage.view, image, at.x, at.y);
    if (STROKES.has(held.does as Tool)) {
      // All places that the pointer was at since, not only the last.
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const one of passed.length > 0 ? passed : [event]) {
        const spot = place(one);
        held.points.push(toImage(stage.view, spot.x, spot.y));
      }
      target.stroke(held.does as StrokeKind, held.points, held.button === 2, false, event.pressure);
    } else if (held.does === "cross") target.cross(to);
    else if (held.button === 2 && held.moved) target.window(event.movementX, event.movementY);
    else if (held.does === "pan" && (held.moved || held.button === 1)) stage.setView(panned(stage.view, image, stage.size, event.movementX, event.movementY));
    else if (held.does === "grip" && held.grip && held.moved) target.drag(held.grip, to, false);
    else if (held.moved && held.does === "box") {
      corner = null;
      target.draft(boxBetween(held.start, to));
    }
  }

  /** Two fingers zoom about their middle and move with it. */
  function pinch(image: Size, before: ReadonlyMap<number, Finger>): void {
    const [[a0, b0], [a, b]] = [[...before.values()], [...fingers.values()]] as [[Finger, Finger], [Finger, Finger]];
    const factor = Math.hypot(a.x - b.x, a.y - b.y) / Math.max(1, Math.hypot(a0.x - b0.x, a0.y - b0.y));
    const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
    const view = zoomed(stage.view, image, stage.size, factor, x, y);
    stage.setView(panned(view, image, stage.size, x - (a0.x + b0.x) / 2, y - (a0.y + b0.y) / 2));
  }

  element.addEventListener("pointerup", (event) => {
    clearTimeout(holding);
    // Two fingers down and up at once, without moving: undo.
    if (fingers.size === 2 && event.timeStamp - twoAt < TAP_MS && ![...fingers.values()].some(({ moved }) => moved)) {
      fingers.clear();
      return target.undo();
    }
    fingers.delete(event.pointerId);
    const image = target.image();
    const held = press;
    if (!image || held?.id !== event.pointerId) return;
    press = null;
    const at = place(event);
    if (STROKES.has(held.does as Tool)) return target.stroke(held.does as StrokeKind, held.points, held.button === 2, true, event.pressure);
    const to = nearestPixel(stage.view, image, at.x, at.y);
    if (held.does === "grip" && held.grip && held.moved) return target.drag(held.grip, to, true);
    if (held.moved) {
      if (held.does !== "box") return;
      const box = boxBetween(held.start, to);
      cancelBox();
      if (shortSide(box) * stage.view.scale >= LEAST_BOX) target.box(box);
      return;
    }
    // Where it was pressed: the layout may have moved since.
    click(held, event);
  });

  function click({ button, does, pixel }: Press, event: PointerEvent): void {
    if (!pixel || does === "cross" || (does === "pan" && (button === 1 || event.altKey || target.pans()))) return;
    const tool = target.tool();
    if (tool === "select") {
      if (button === 0) target.pick(pixel);
      else if (button === 2) target.menu({ pixel, x: event.clientX, y: event.clientY });
      return;
    }
    if (event.pointerType === "touch" && does === "pan" && event.timeStamp - tappedAt < TAP_MS) {
      stage.fitWhole();
      return;
    }
    tappedAt = event.timeStamp;
    if (tool === "outline") {
      const { x, y } = place(event);
      if (button === 2) target.cut(x, y);
      return;
    }
    if (button === 2) target.point(pixel, 0);
    else if (button === 0 && tool !== "box") target.point(pixel, tool === "negative" ? 0 : 1);
    else if (button === 0 && !corner) {
      corner = pixel;
      target.draft(boxBetween(pixel, pixel));
    } else if (button === 0 && corner) {
      const box = boxBetween(corner, pixel);
      cancelBox();
      target.box(box);
    }
  }

  element.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    if (press?.id === event.pointerId) dropPress();
  });
  element.addEventListener("pointerleave", () => target.hover(null));

  element.addEventListener(
    "wheel",
    (event) => {
      // Where the page itself scrolls, the wheel alone stays the page's.
      const pageScrolls = document.documentElement.scrollHeight > innerHeight + 1;
      if (!target.image() || (pageScrolls && !event.ctrlKey && !event.metaKey)) return;
      event.preventDefault();
      const { x, y } = place(event);
      if (!event.ctrlKey && !event.metaKey && target.scroll(Math.sign(event.deltaY))) return;
      stage.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : event.ctrlKey ? 0.01 : 0.0016)), x, y);
    },
    { passive: false },
  );

  return {
    get waits() {
      return corner !== null;
    },
    cancel: () => {
      const drawing =
        corner !== null ||
        (press !== null && press.does !== "pan" && press.does !== "cross" && press.does !== "nothing" && (press.moved || STROKES.has(press.does as Tool)));
      if (!drawing) return false;
      if (press?.grip) target.drag(press.grip, press.start, false);
      dropPress();
      return true;
    },
  };
}

function shortSide([x0, y0, x1, y1]: Box): number {
  return Math.min(x1 - x0, y1 - y0);
}

interface Finger {
  readonly x: number;
  readonly y: number;
  readonly moved: boolean;
}
