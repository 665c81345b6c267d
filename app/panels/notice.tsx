// What stands between the user and a mask that means something: in the column of cases, on a phone over the foot of the image. Closed, it comes back with other news.
import { useState } from "preact/hooks";
import { defaultWeights } from "../model/default_weights.ts";
import { nameOf, type Source } from "../model/engine.ts";
import { explain } from "../model/webgpu_help.ts";
import type { State } from "../state.ts";
import { t } from "../words/words.ts";
import { SYNTHETIC } from "./model_panel.tsx";
import { Act, useShared } from "./parts.tsx";

type Kind = "" | "no-webgpu" | "none" | "failed" | "meaningless";
const TONES = { "": "plain", "no-webgpu": "bad", none: "plain", failed: "plain", meaningless: "warn" } as const;

export function Notice() {
  const { state } = useShared();
  const [closed, setClosed] = useState<Kind>("");
  const kind = kindOf(state);
  return (
    <div id="notice" class="notice" data-tone={TONES[kind]} hidden={kind === "" || kind === closed}>
      <Words kind={kind} />
      <Act bare icon="clear" class="close" label={t("notice.close")} onAct={() => setClosed(kind)} />
    </div>
  );
}

function kindOf({ checked, webgpu, model }: State): Kind {
  if (webgpu) return "no-webgpu";
  if (model.kind === "ready") return model.model.meaningless ? "meaningless" : "";
  return !checked || model.kind === "loading" ? "" : model.kind;
}

function Words({ kind }: { readonly kind: Kind }) {
  const { webgpu, model } = useShared().state;
  switch (kind) {
    case "no-webgpu": {
      const { title, advice } = webgpu ? explain(webgpu.why, webgpu) : { title: "", advice: [] };
      return (
        <div>
          <Text title={title} lines={[t("notice.nowebgpu")]} />
          <details>
            <summary>{t("notice.todo")}</summary>
            {advice.map((line) => (
              <p key={line}>{line}</p>
            ))}
          </details>
        </div>
      );
    }
    case "none":
      return (
        <>
          <Text title={t("notice.none")} lines={[t("notice.none.words")]} />
          <Choices />
        </>
      );
    case "failed":
      return model.kind === "failed" ? (
        <>
          <Text title={t("notice.failed")} lines={[t("notice.failed.words", { name: nameOf(model.source) })]} />
          <Choices again={model.source} most={2} />
        </>
      ) : null;
    case "meaningless":
      return (
        <>
          <Text title={t("notice.meaningless")} lines={[t("notice.meaningless.words")]} />
          <Choices most={2} />
        </>
      );
    default:
      return null;
  }
}

function Text({ title, lines }: { readonly title: string; readonly lines: readonly string[] }) {
  return (
    <div>
      <strong>{title}</strong>
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}

/** What can be loaded, the first one standing out; once more what failed, before all others. */
function Choices({ again, most = 3 }: { readonly again?: Source; readonly most?: number }) {
  const { desk, actions } = useShared();
  const own = defaultWeights();
  const first: readonly [string, () => void] = own
    ? [t("notice.default"), () => void desk.load({ kind: "default", ...own })]
    : [t("notice.file"), () => document.getElementById("open-weights")?.click()];
  const all: (readonly [string, () => void])[] = [
    first,
    [t("model.address"), () => actions.showAddress(true)],
    [t("notice.synthetic"), () => void desk.load(SYNTHETIC)],
  ];
  const shown = [...(again ? [[t("notice.again"), () => void desk.load(again)] as const] : []), ...all.slice(0, most)];
  return (
    <div class="actions">
      {shown.map(([label, run], i) => (
        <button type="button" key={label} class={i === 0 ? "primary" : ""} onClick={run}>
          {label}
        </button>
      ))}
    </div>
  );
}
