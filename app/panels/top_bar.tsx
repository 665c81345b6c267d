// The line on top: the case, how many are done, whether it is all safe, and what opens from here.
import { listedCases } from "../state.ts";
import { languageNow, t } from "../words/words.ts";
import { Act, middleCut, useShared } from "./parts.tsx";

export function TopBar() {
  const { desk, actions, state } = useShared();
  const cases = listedCases(state);
  const at = cases.findIndex(({ id }) => id === state.current);
  const of = cases[at];
  return (
    <>
      {of && cases.length > 1 && (
        <div class="group turn">
          <Act bare icon="back" label={t("key.case-back")} command="case-back" disabled={at <= 0} onAct={() => desk.turnCase(-1)} />
          <span class="which" title={of.name}>
            <span>{middleCut(of.name, 28)}</span> <b>{t("cases.place", { n: at + 1, of: cases.length })}</b>
          </span>
          <Act bare icon="next" label={t("key.case-next")} command="case-next" disabled={at < 0 || at === cases.length - 1} onAct={() => desk.turnCase(1)} />
          <Act bare icon="check" label={t("key.done")} command="done" pressed={of.status === "done"} onAct={() => desk.mark("done")} />
          <Act bare icon="flag" label={t("key.flag")} command="flag" pressed={of.status === "flagged"} onAct={() => desk.mark("flagged")} />
          <input
            type="text"
            id="note"
            class="note"
            placeholder={t("cases.note")}
            aria-label={t("cases.note")}
            value={of.note}
            onInput={(event) => desk.store.updateCase(of.id, () => ({ note: event.currentTarget.value }))}
          />
        </div>
      )}
      <p class="saving" id="saving" role="status" data-kind={state.saving.kind} title={savingInWords(state.saving)}>
        {savingInWords(state.saving)}
      </p>
      <select
        id="language"
        aria-label={t("language")}
        value={languageNow()}
        onChange={(event) => {
          void actions.toLanguage(event.currentTarget.value === "de" ? "de" : "en");
        }}
      >
        <option value="en" lang="en" title="English">
          EN
        </option>
        <option value="de" lang="de" title="Deutsch">
          DE
        </option>
      </select>
      <Act id="help-open" class="quiet" icon="keys" label={t("help.open")} command="help" onAct={() => actions.run("help")} />
    </>
  );
}

function savingInWords(saving: ReturnType<typeof useShared>["state"]["saving"]): string {
  switch (saving.kind) {
    case "saved":
      return t("saving.saved", { at: new Date(saving.at).toLocaleTimeString(languageNow(), { hour: "2-digit", minute: "2-digit" }) });
    case "saving":
      return t("saving.saving");
    case "reader":
      return t("saving.reader");
    case "failed":
      return t("saving.failed", { why: saving.why });
    default:
      return "";
  }
}
