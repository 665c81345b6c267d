// Pointer, fingers and keys: the help, made from the table of keys, where each can be changed.
import { useState } from "preact/hooks";
import { COMMANDS, comboOf, type KeyMap, KEYS, printed, wordsOf } from "../stage/keys.ts";
import { saveBlob } from "../open/download.ts";
import { t, type WordKey } from "../words/words.ts";
import { Act, useShared } from "./parts.tsx";

const GESTURES = ["positive", "negative", "box", "window", "slice", "cross", "zoom", "pan", "long", "two", "double"] as const;

export function Help() {
  const { actions } = useShared();
  const [asking, setAsking] = useState<keyof typeof KEYS | null>(null);
  const { keyMap } = actions;
  return (
    <>
      <h2 id="h-help">{t("help.title")}</h2>
      <dl class="gestures">
        {GESTURES.map((name) => (
          <div key={name}>
            <dt>{t(`gesture.${name}.how` as WordKey)}</dt>
            <dd>{t(`gesture.${name}` as WordKey)}</dd>
          </div>
        ))}
      </dl>
      <div class="keys">
        <div class="key">
          <kbd>1 … 9</kbd>
          <span>{t("key.label")}</span>
        </div>
        <div class="key">
          <kbd>Alt 1 … 9</kbd>
          <span>{t("key.window")}</span>
        </div>
        {COMMANDS.map((command) => (
          <div class="key" key={command}>
            <button
              type="button"
              aria-label={t("help.change", { what: t(wordsOf(command)), key: printed(command, keyMap) })}
              onClick={() => setAsking(command)}
              onKeyDown={(event) => {
                if (asking !== command || ["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
                event.preventDefault();
                event.stopPropagation();
                setAsking(null);
                if (event.key !== "Escape") actions.setKeys(changed(keyMap, command, comboOf(event)));
              }}
              onBlur={() => setAsking(null)}
            >
              <kbd>{asking === command ? t("help.press") : printed(command, keyMap)}</kbd>
            </button>
            <span>{t(wordsOf(command))}</span>
          </div>
        ))}
      </div>
      <p>{t("help.words")}</p>
      <form method="dialog" class="row">
        <Act
          label={t("help.export")}
          onAct={() => saveBlob(new Blob([`${JSON.stringify({ ...KEYS, ...keyMap }, null, 2)}\n`], { type: "application/json" }), "keys.json")}
        />
        <label class="button">
          <input
            type="file"
            class="unseen"
            accept=".json"
            onChange={async (event) => {
              const [file] = event.currentTarget.files ?? [];
              if (file) actions.importKeys(await file.text(), file.name);
            }}
          />
          <span>{t("help.import")}</span>
        </label>
        <Act label={t("help.reset")} onAct={() => actions.setKeys({})} />
        <button type="submit" class="primary">
          {t("help.close")}
        </button>
      </form>
    </>
  );
}

/** The key goes to this command; one that had it is left without, so that no key does two things. */
function changed(map: KeyMap, command: keyof typeof KEYS, combo: string): KeyMap {
  const next: Record<string, string> = { ...map } as Record<string, string>;
  for (const other of COMMANDS) {
    const keys = (map[other] ?? KEYS[other]).split(" ");
    if (other !== command && keys.includes(combo)) next[other] = keys.filter((key) => key !== combo).join(" ");
  }
  next[command] = combo;
  return next;
}
