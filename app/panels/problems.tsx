// What went wrong, in words, with what to do about it: stands aside, waits to be dismissed, never blocks.
import { SamError } from "../../src/index.ts";
import { t, type WordKey } from "../words/words.ts";
import { Icon, useShared } from "./parts.tsx";

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

const WHOLE: ReadonlySet<string | undefined> = new Set(["weights", "image", "device"]);

/** Of a batch this many are named at once, the others in a list to unfold. */
const NAMED = 3;

export class Problems {
  cards: readonly Card[] = [];
  /** Draws them. */
  onChange: () => void = () => {};
  #count = 0;

  show(error: unknown, actions: readonly ProblemAction[] = []): void {
    const technical = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (!(error instanceof SamError)) {
      this.#add({ title: t("problem.unexpected"), lines: [error instanceof Error ? error.message : String(error), t("problem.reload")], technical, actions });
      return;
    }
    const { expected, got } = error;
    // The title names what is wrong as a whole.
    const named = error.argument !== undefined && !WHOLE.has(error.argument);
    const what = named ? t("problem.expected.of", { subject: error.argument as string, expected, got }) : t("problem.expected", { expected, got });
    const title = t(error.op === "worker" ? "problem.worker" : (`problem.${error.code}` as WordKey));
    this.#add({ title, lines: [what, error.remedy], technical, actions });
  }

  /** Of `total` files that came together, those that could not be opened: one card for all of them. */
  showBatch(total: number, failures: readonly { readonly name: string; readonly error: unknown }[], actions: readonly ProblemAction[] = []): void {
    const [only] = failures;
    if (!only) return;
    if (failures.length === 1) {
      // A reader's refusal is a sentence already.
      if (typeof only.error === "string") this.#add({ title: t("problem.notopened", { name: only.name }), lines: [only.error], actions });
      else this.show(only.error, actions);
      return;
    }
    const list = failures.map(({ name, error }) => {
      if (!(error instanceof SamError)) return `${name}: ${error}`;
      return `${t("problem.expected.of", { subject: name, expected: error.expected, got: error.got })} ${error.remedy}`;
    });
    const names = failures
      .slice(0, NAMED)
      .map(({ name }) => name)
      .join(", ");
    const line = failures.length > NAMED ? t("problem.more", { names, n: failures.length - NAMED }) : `${names}.`;
    this.#add({ title: t("problem.notopened.many", { n: failures.length, total }), lines: [line], list, actions });
  }

  /** What is worth knowing, though nothing failed. */
  tell(title: string, words: string, actions: readonly ProblemAction[] = []): void {
    this.#add({ tone: "plain", title, lines: [words], actions });
  }

  dismiss(id: number): void {
    this.cards = this.cards.filter((card) => card.id !== id);
    this.onChange();
  }

  #add(card: Omit<Card, "id" | "tone" | "actions"> & Partial<Card>): void {
    // The same again takes the place of the one before.
    const others = this.cards.filter(({ lines }) => lines.join() !== card.lines.join());
    this.#count += 1;
    this.cards = [...others, { tone: "bad", actions: [], ...card, id: this.#count }];
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
      <button type="button" class="close" aria-label={t("problem.dismiss", { title })} onClick={dismiss}>
        <Icon name="clear" />
      </button>
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
