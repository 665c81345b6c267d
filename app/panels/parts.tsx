// What the panels are made of: icons, buttons that give the stage its focus back, and the desk that all of them act on.
import { type ComponentChildren, createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Actions } from "../actions.ts";
import type { Desk } from "../desk.ts";
import type { State } from "../state.ts";
import { type KEYS, printed } from "../stage/keys.ts";

interface Shared {
  readonly desk: Desk;
  readonly actions: Actions;
  readonly state: State;
}

export const SharedContext = createContext<Shared | null>(null);

export function useShared(): Shared {
  const shared = useContext(SharedContext);
  if (!shared) throw new Error("a panel outside the page");
  return shared;
}

export function Icon({ name }: { readonly name: string }) {
  return (
    <svg aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}

interface ActProps {
  readonly onAct: () => void;
  readonly icon?: string;
  readonly label: string;
  /** The label is the button's name only, not seen. */
  readonly bare?: boolean;
  readonly command?: keyof typeof KEYS;
  readonly id?: string;
  readonly class?: string;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly children?: ComponentChildren;
}

const isFocusLost = () => document.activeElement === null || document.activeElement === document.body;

/** A button. Pressed by the pointer it does not keep the focus: the next key is meant for the image. */
export function Act({ onAct, icon, label, bare = false, command, pressed, children, ...rest }: ActProps) {
  const { actions } = useShared();
  const title = command ? `${label} (${printed(command, actions.keyMap)})` : label;
  return (
    <button
      type="button"
      title={title}
      {...(bare && { "aria-label": label })}
      {...(pressed !== undefined && { "aria-pressed": pressed })}
      {...rest}
      onClick={(event) => {
        const button = event.currentTarget;
        onAct();
        if (event.detail > 0) actions.focusStage();
        // Pressed by a key it keeps the focus, unless it is gone: then no key would reach anything.
        else requestAnimationFrame(() => (!button.isConnected || button.disabled) && isFocusLost() && actions.focusStage());
      }}
    >
      {icon && <Icon name={icon} />}
      {!bare && <span>{label}</span>}
      {children}
    </button>
  );
}

/** The name cut in the middle: series differ at their ends. */
export function middleCut(name: string, most: number): string {
  if (name.length <= most) return name;
  const head = Math.ceil((most - 1) / 2);
  return `${name.slice(0, head)}…${name.slice(name.length - (most - 1 - head))}`;
}
