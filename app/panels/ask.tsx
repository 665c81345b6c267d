// A dialog that asks for one thing: a token to type, or one of a list.
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../words/words.ts";

export interface Question {
  readonly title: string;
  readonly hint: string;
  /** The field's name for screen readers. */
  readonly label: string;
  /** What to choose from; without it a secret is typed. */
  readonly options?: readonly { readonly value: string; readonly words: string }[];
}

/** Undefined where it is closed without an answer. */
export function ask(question: Question): Promise<string | undefined> {
  return new Promise((resolve) => {
    const root = document.createElement("div");
    document.body.append(root);
    const onDone = (answer: string | undefined) => {
      render(null, root);
      root.remove();
      resolve(answer);
    };
    render(<Ask question={question} onDone={onDone} />, root);
  });
}

function Ask({ question: { title, hint, label, options }, onDone }: { readonly question: Question; onDone(answer: string | undefined): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement & HTMLSelectElement>(null);
  const given = useRef<string | undefined>(undefined);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="ask" ref={dialog} onClose={() => onDone(given.current)}>
      <form
        method="dialog"
        onSubmit={() => {
          given.current = field.current?.value.trim() || undefined;
        }}
      >
        <h2>{title}</h2>
        <p>{hint}</p>
        {options ? (
          <select ref={field} required aria-label={label} size={Math.min(12, Math.max(2, options.length))}>
            {options.map(({ value, words }) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        ) : (
          <input ref={field} type="password" autocomplete="off" spellcheck={false} required aria-label={label} />
        )}
        <p>
          <button type="submit" class="primary">
            {t("ask.open")}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            {t("ask.cancel")}
          </button>
        </p>
      </form>
    </dialog>
  );
}
