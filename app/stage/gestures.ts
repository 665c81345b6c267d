// Mouse, pen and fingers on the stage, turned into prompts in original pixels.
import type { Box } from "../../src/index.ts";
import type { Mode } from "../state.ts";
import type { Stage } from "./stage.ts";
import { boxBetween, nearestPixel, type Pixel, panned, pixelAt, type Size, zoomed } from "./view.ts";

export interface GestureTarget {
  readonly image: () => Size | null;
  readonly mode: () => Mode;
  point(pixel: Pixel, label: 0 | 1): void;
  /** A box that is being drawn, or none any more. */
  draft(box: Box | null): void;
  box(box: Box): void;
  hover(pixel: Pixel | null): void;
  /** The right button was dragged by so many CSS pixels; false where that means nothing. */
  window(dx: number, dy: number): boolean;
  /** The wheel was turned by so many slices; false where there are none, and it zooms. */
  scroll(steps: number): boolean;
}

/** CSS pixels a pointer may stray within a click: a hand trembles. */
const SLACK = { mouse: 8, touch: 10 } as const;

/** CSS pixels; a box with a shorter side on the screen was not meant. */
const LEAST_BOX = 8;

interface Press {
  readonly id: number;
  readonly button: number;
  readonly x: number;
  readonly y: number;
  /** The original pixel under it: the stage may change its size before the pointer is let go. */
  readonly start: Pixel;
  readonly slack: number;
  /** Whether dragging draws a box; else a drag is no prompt at all, and a finger may scroll. */
  readonly draws: boolean;
  /** Middle button, or the left with Alt: moves the image. */
  readonly pans: boolean;
  moved: boolean;
}

/** What goes on while a pointer is down, or between two taps. */
export interface Gestures {
  /** Gives up the box that is being drawn; false when there is none. */
  cancel(): boolean;
}

export function listenForGestures(element: HTMLElement, stage: Stage, target: GestureTarget): Gestures {
  const fingers = new Map<number, Spot>();
  let press: Press | null = null;
  /** The first corner of a box drawn by two taps, for those who can't drag. */
  let corner: Pixel | null = null;

  const place = ({ clientX, clientY }: { clientX: number; clientY: number }) => {
    const { left, top } = element.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  const cancelBox = () => {
    corner = null;
    target.draft(null);
  };

  element.addEventListener("contextmenu", (event) => event.preventDefault());

  element.addEventListener("pointerdown", (event) => {
    const image = target.image();
    if (!image || (event.target as Element).closest("button")) return;
    const at = place(event);
    if (event.pointerType === "touch") fingers.set(event.pointerId, at);
    if (fingers.size === 2) {
      press = null;
      cancelBox();
      return;
    }
    const touch = event.pointerType === "touch";
    const pans = event.button === 1 || (event.button === 0 && event.altKey);
    const draws = !pans && event.button === 0 && (!touch || target.mode() === "box");
    const start = nearestPixel(stage.view, image, at.x, at.y);
    press = { id: event.pointerId, button: event.button, ...at, start, slack: SLACK[touch ? "touch" : "mouse"], draws, pans, moved: false };
    if (pans) event.preventDefault();
    try {
      element.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already; the gesture ends with it.
    }
  });

  element.addEventListener("pointermove", (event) => {
    const image = target.image();
    if (!image) return;
    const at = place(event);
    target.hover(pixelAt(stage.view, image, at.x, at.y));
    if (fingers.has(event.pointerId)) {
      const before = new Map(fingers);
      fingers.set(event.pointerId, at);
      if (fingers.size === 2) return pinch(image, before);
    }
    if (press?.id === event.pointerId) return drag(image, press, at, event);
    if (corner) target.draft(boxBetween(corner, nearestPixel(stage.view, image, at.x, at.y)));
  });

  function drag(image: Size, held: Press, at: Spot, event: PointerEvent): void {
    held.moved ||= Math.hypot(at.x - held.x, at.y - held.y) > held.slack;
    if (held.button === 2 && held.moved) target.window(event.movementX, event.movementY);
    if (held.pans) stage.setView(panned(stage.view, image, stage.size, event.movementX, event.movementY));
    else if (held.moved && held.draws) {
      corner = null;
      target.draft(boxBetween(held.start, nearestPixel(stage.view, image, at.x, at.y)));
    }
  }

  /** Two fingers zoom about their middle and move with it. */
  function pinch(image: Size, before: ReadonlyMap<number, Spot>): void {
    const [[a0, b0], [a, b]] = [[...before.values()], [...fingers.values()]] as [[Spot, Spot], [Spot, Spot]];
    const factor = Math.hypot(a.x - b.x, a.y - b.y) / Math.max(1, Math.hypot(a0.x - b0.x, a0.y - b0.y));
    const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
    const view = zoomed(stage.view, image, stage.size, factor, x, y);
    stage.setView(panned(view, image, stage.size, x - (a0.x + b0.x) / 2, y - (a0.y + b0.y) / 2));
  }

  element.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    const image = target.image();
    const held = press;
    if (!image || held?.id !== event.pointerId) return;
    press = null;
    const at = place(event);
    if (held.pans) return;
    if (held.moved) {
      if (!held.draws) return;
      const box = boxBetween(held.start, nearestPixel(stage.view, image, at.x, at.y));
      cancelBox();
      if (shortSide(box) * stage.view.scale >= LEAST_BOX) target.box(box);
      return;
    }
    click(image, held, at);
  });

  function click(image: Size, { button }: Press, at: Spot): void {
    const pixel = pixelAt(stage.view, image, at.x, at.y);
    if (!pixel) return;
    const mode = target.mode();
    if (button === 2) target.point(pixel, 0);
    else if (button === 0 && mode !== "box") target.point(pixel, mode === "negative" ? 0 : 1);
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
    if (press?.id !== event.pointerId) return;
    press = null;
    cancelBox();
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
    cancel: () => {
      const drawing = corner !== null || (press?.draws === true && press.moved);
      if (!drawing) return false;
      press = null;
      cancelBox();
      return true;
    },
  };
}

function shortSide([x0, y0, x1, y1]: Box): number {
  return Math.min(x1 - x0, y1 - y0);
}

interface Spot {
  readonly x: number;
  readonly y: number;
}
