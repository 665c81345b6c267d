// Images that are kept encoded: how many, how much that is, and ways to have none.
import { formatBytes } from "../model/transfer_rate.ts";
import { t } from "../words/words.ts";
import { Act, useShared } from "./parts.tsx";

export function Ahead() {
  const { desk, actions, state } = useShared();
  const { count, bytes } = state.encoded;
  return (
    <div class="ahead">
      <label class="check" title={t("ahead.words")}>
        <input type="checkbox" id="ahead-on" checked={state.ahead} onChange={(event) => desk.store.set({ ahead: event.currentTarget.checked })} />
        {t("ahead.on")}
      </label>
      {count > 0 && (
        <p>
          <span id="encoded">{t("ahead.kept", { n: count, size: formatBytes(bytes) })}</span>{" "}
          <Act id="encoded-clear" class="text" label={t("ahead.clear")} onAct={() => void actions.onClearEncoded()} />
        </p>
      )}
    </div>
  );
}
