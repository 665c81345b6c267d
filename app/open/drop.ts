// Files and folders that are dropped on the page or pasted into it.
import type { Desk } from "../desk.ts";
import { byId } from "../dom.ts";
import { filesOf } from "./folder.ts";

export function startDrop(desk: Desk, onError: (error: unknown) => void): void {
  const veil = byId("drop", HTMLElement);
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  let depth = 0;
  const show = (change: number) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => carriesFiles(event) && show(1));
  addEventListener("dragleave", (event) => carriesFiles(event) && show(-1));
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    show(-depth);
    if (event.dataTransfer) void filesOf(event.dataTransfer).then((files) => desk.opening.files(files), onError);
  });
  addEventListener("paste", (event) => {
    if (!event.clipboardData?.types.includes("Files")) return;
    event.preventDefault();
    void filesOf(event.clipboardData).then((files) => desk.opening.files(files), onError);
  });
}
