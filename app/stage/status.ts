// The page's state in one sentence, for the eye and for screen readers.
import { type Case, currentWork, objectOf } from "../annotate/case.ts";
import { isEmpty } from "../annotate/prompts.ts";
import type { Desk } from "../desk.ts";
import { thousands } from "../dom.ts";
import { closedSamples, SAMPLES } from "../open/samples.ts";
import { currentCase, type State } from "../state.ts";
import { decimal, t } from "../words/words.ts";
import { areaOf } from "./frame.ts";

export function statusOf(state: State, desk: Desk): string {
  return [state.said, sentence(state, desk)].filter(Boolean).join(" ");
}

function sentence(state: State, desk: Desk): string {
  const of = currentCase(state);
  if (!of) return t(closedSamples().length === SAMPLES.length ? "status.empty" : "status.drawing");
  if (!of.shown) return t(desk.opening.reads.has(of.id) || of.origin === "sample" ? "status.reading" : "status.gone", { name: of.name });
  const { prompts } = currentWork(of);
  const { points, box, previous } = prompts;
  const mask = desk.mask(state);
  if (objectOf(of)?.locked) return t("status.locked", { object: desk.nameOf(of.object) });
  if (isEmpty(prompts)) {
    if (mask) return t("status.drawn", { area: sizeInWords(mask.area, desk) });
    const what = of.suggestion ? t("status.forexample", { what: of.suggestion.what }) : "";
    return t(matchMedia("(pointer: coarse)").matches ? "status.tap" : "status.click", { what });
  }
  const given = [points.length > 0 && t("status.points", { n: points.length }), box && t("status.box")].filter(Boolean).join(t("status.and"));
  const answer = desk.answer(state);
  if (!answer) {
    if (mask) return t("status.drawn", { area: sizeInWords(mask.area, desk) });
    return state.model.kind === "ready" ? t("status.working", { given }) : t("status.kept", { given });
  }
  const { result, index, score } = answer;
  const area = mask?.area ?? 0;
  const share = (100 * area) / (of.shown.picture.width * of.shown.picture.height);
  const values = {
    n: index + 1,
    of: result.count,
    score: decimal(score, 2),
    area: thousands(area),
    share: decimal(share, share < 10 ? 1 : 0),
    given,
    refined: previous ? t("status.refined") : "",
  };
  return t(result.count > 1 ? "status.mask.of" : "status.mask", values);
}

/** `1 234 pixels, 310 mm²` */
function sizeInWords(area: number, desk: Desk): string {
  const shown = desk.case?.shown;
  const one = shown ? areaOf(shown) : null;
  return t("size.pixels", { area: thousands(area) }) + (one ? `, ${thousands(area * one)}\u00a0mm²` : "");
}

/** The case in the corner of the stage. */
export function captionOf({ name, origin, shown }: Case): string {
  const drawn = origin === "sample" ? t("corner.drawn") : "";
  return shown ? `${name}\n${shown.picture.width} × ${shown.picture.height}${drawn}` : name;
}
