// The filmstrip: opened images and samples, each with its prompts kept.
import type { Desk } from "../desk.ts";
import { button, byId, icon, make } from "../dom.ts";
import { isEmpty } from "../annotate/session.ts";
import type { State, Study } from "../state.ts";

const THUMB = { width: 260, height: 128 };

export function startTray(desk: Desk): void {
  const root = byId("thumbs", HTMLElement);
  for (const id of ["open-image", "open-folder"]) {
    const input = byId(id, HTMLInputElement);
    input.addEventListener("change", () => {
      void desk.openFiles([...(input.files ?? [])]);
      // So that the same file can be chosen again.
      input.value = "";
    });
  }

  const thumbs = new Map<string, HTMLElement>();
  desk.store.subscribe((state: State, before: State) => {
    if (state.surfaces !== before.surfaces) for (const study of state.studies) paintThumb(thumbs.get(study.id)?.querySelector("canvas"), study);
    if (state.studies === before.studies && state.current === before.current) return;
    for (const [id, thumb] of thumbs) {
      if (state.studies.some((study) => study.id === id)) continue;
      thumb.remove();
      thumbs.delete(id);
    }
    for (const [index, study] of state.studies.entries()) {
      const thumb = thumbs.get(study.id) ?? makeThumb(study, desk);
      thumbs.set(study.id, thumb);
      if (root.children[index] !== thumb) root.insertBefore(thumb, root.children[index] ?? null);
      const choose = thumb.firstElementChild as HTMLElement;
      choose.setAttribute("aria-pressed", String(study.id === state.current));
      choose.setAttribute("aria-label", `${study.name}${isEmpty(study.session.now) ? "" : ", has prompts"}`);
    }
    const current = state.current === before.current ? undefined : thumbs.get(state.current ?? "");
    if (current) revealAlong(root, current);
  });
}

/** `scrollIntoView` would scroll the page as well. */
function revealAlong(strip: HTMLElement, thumb: HTMLElement): void {
  const [outer, inner] = [strip.getBoundingClientRect(), thumb.getBoundingClientRect()];
  if (inner.left < outer.left) strip.scrollLeft -= outer.left - inner.left + 4;
  else if (inner.right > outer.right) strip.scrollLeft += inner.right - outer.right + 4;
}

function paintThumb(small: HTMLCanvasElement | null | undefined, { canvas, picture }: Study): void {
  const context = small?.getContext("2d");
  if (context) {
    const scale = Math.max(THUMB.width / picture.width, THUMB.height / picture.height);
    const [width, height] = [THUMB.width / scale, THUMB.height / scale];
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, (picture.width - width) / 2, (picture.height - height) / 2, width, height, 0, 0, THUMB.width, THUMB.height);
  }
}

function makeThumb(study: Study, desk: Desk): HTMLElement {
  const { id, name, origin } = study;
  const small = make("canvas", THUMB);
  paintThumb(small, study);
  const choose = make("button", { type: "button", className: "thumb", title: name }, small, make("span", {}, name));
  choose.addEventListener("click", () => desk.select(id));
  if (origin === "sample") return make("div", { className: "slot" }, choose);
  const close = button("", () => desk.close(id), "close");
  close.setAttribute("aria-label", `Close ${name}`);
  close.append(icon("clear"));
  return make("div", { className: "slot" }, choose, close);
}
