// What went wrong, in words, with what to do about it: stands aside, waits to be dismissed, never blocks.
import { SamError } from "../../src/index.ts";
import { inLanguage, linesOf, Told } from "../words/errors.ts";
import { languageNow, t, type WordKey } from "../words/words.ts";
import { Act, useShared } from "./parts.tsx";

export interface ProblemAction {
  readonly label: string;
  readonly run: () => void;
}

interface Card {
  readonly id: number;
  readonly tone: "bad" | "plain";
  readonly title: string;
  readonly lines: readonly string[];
  /** Unfolded on request: of a batch, which files and why. */
  readonly list?: readonly string[];
  readonly technical?: string;
  readonly actions: readonly ProblemAction[];
}

/** Of a batch this many are named at once, the others in a list to unfold. */
const NAMED = 3;

export class Problems {
  cards: readonly Card[] = [];
  /** Draws them. */
  onChange: () => void = () => {};
  #count = 0;

  /** `more` is said besides. */
  show(error: unknown, actions: readonly ProblemAction[] = [], more = ""): void {
    const { lines, technical } = linesOf(error);
    const title = error instanceof SamError ? (error.op === "worker" ? "worker" : error.code) : "unexpected";
    this.#add({ title: t(`problem.${title}` as WordKey), lines: [...lines, more], ...(technical && { technical }), actions });
  }

  /** Of `total` files that came together, those that could not be opened: one card for all of them. */
  showBatch(total: number, failures: readonly { readonly name: string; readonly error: unknown }[], actions: readonly ProblemAction[] = []): void {
    const [only] = failures;
    if (!only) return;
    if (failures.length === 1) {
      if (typeof only.error === "string" || only.error instanceof Told)
        this.#add({ title: t("problem.notopened", { name: only.name }), ...linesOf(only.error), actions });
      else this.show(only.error, actions);
      return;
    }
    const told = failures.map(({ name, error }) => ({ name, ...linesOf(error) }));
    // A sentence about a file may name it.
    const list = told.map(({ name, lines }) => (lines[0]?.startsWith(name) ? lines.join(" ") : `${name}: ${lines.join(" ")}`));
    const technical = told.map(({ name, technical: words }) => words && `${name}: ${words}`).filter(Boolean);
    const names = failures
      .slice(0, NAMED)
      .map(({ name }) => name)
      .join(", ");
    const line = failures.length > NAMED ? t("problem.more", { names, n: failures.length - NAMED }) : `${names}.`;
    const details = languageNow() === "en" || technical.length === 0 ? {} : { technical: technical.join("\n") };
    this.#add({ title: t("problem.notopened.many", { n: failures.length, total }), lines: [line], list, actions, ...details });
  }

  /** What is worth knowing, though nothing failed. `notes` are a reader's, in English. */
  tell(title: string, words: string, actions: readonly ProblemAction[] = [], notes = ""): void {
    const { lines, technical } = inLanguage(notes, "note");
    this.#add({ tone: "plain", title, lines: [[words, ...lines].filter(Boolean).join(" ")], ...(technical && { technical }), actions });
  }

  dismiss(id: number): void {
    this.cards = this.cards.filter((card) => card.id !== id);
    this.onChange();
  }

  #add(card: Omit<Card, "id" | "tone" | "actions"> & Partial<Card>): void {
    // The same again takes the place of the one before.
    const others = this.cards.filter(({ lines }) => lines.join() !== card.lines.join());
    this.#count += 1;
    // The newest is seen without scrolling.
    this.cards = [{ tone: "bad", actions: [], ...card, id: this.#count }, ...others];
    this.onChange();
  }
}

export function ProblemCards() {
  const { desk } = useShared();
  return (
    <>
      {desk.problems.cards.map((card) => (
        <ProblemCard key={card.id} card={card} />
      ))}
    </>
  );
}

function ProblemCard({ card: { id, tone, title, lines, list, technical, actions } }: { readonly card: Card }) {
  const { desk } = useShared();
  const dismiss = () => desk.problems.dismiss(id);
  return (
    <section class="problem" role={tone === "plain" ? "status" : "alert"} data-tone={tone}>
      <h2>{title}</h2>
      <Act bare icon="clear" class="close" label={t("problem.dismiss", { title })} onAct={dismiss} />
      {lines.map((line) => line && <p key={line}>{line}</p>)}
      {list && (
        <details>
          <summary>{t("problem.which")}</summary>
          <ul>
            {list.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
      {technical && (
        <details>
          <summary>{t("problem.technical")}</summary>
          <code>{technical}</code>
        </details>
      )}
      {actions.length > 0 && (
        <div class="actions">
          {actions.map(({ label, run }) => (
            <button
              type="button"
              class="primary"
              key={label}
              onClick={() => {
                dismiss();
                run();
              }}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}
