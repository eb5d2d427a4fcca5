import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { Icon } from './icon.tsx';

export interface FieldProps {
  readonly label: ComponentChildren;
  /** Limits and remarks to the right of the label. */
  readonly note?: ComponentChildren;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  /** Renders the control with the attributes that join it to label, hint and error. */
  readonly children: (attributes: ControlAttributes) => ComponentChildren;
  /** Further content below the control. */
  readonly below?: ComponentChildren;
}

export interface ControlAttributes {
  readonly id: string;
  readonly 'aria-invalid'?: 'true';
  readonly 'aria-describedby'?: string;
}

/** A control with its label above, and its hint or its error below. */
export function Field({ label, note, hint, error, children, below }: FieldProps) {
  const id = useId();
  const described = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
        {note === undefined ? null : <span class="faint num">{note}</span>}
      </label>
      {children({
        id,
        ...(error ? { 'aria-invalid': 'true' as const } : {}),
        ...(described ? { 'aria-describedby': described } : {}),
      })}
      {error ? <FieldError id={`${id}-error`} text={error} /> : null}
      {hint && !error ? (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {below}
    </div>
  );
}

/** The error of a field, as a sentence. */
export function FieldError({ id, text }: { id?: string; text: string }) {
  return (
    <p class="field-error" id={id}>
      <Icon name="warning" />
      {text}
    </p>
  );
}

type InputProps = Omit<FieldProps, 'children'> & {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly input?: Omit<JSX.IntrinsicElements['input'], 'value' | 'onInput' | 'class' | 'id' | 'size'>;
  readonly isNumber?: boolean;
};

/** A text field of one line. */
export function TextField({ value, onValue, input = {}, isNumber = false, ...field }: InputProps) {
  return (
    <Field {...field}>
      {(attributes) => (
        <input
          class={isNumber ? 'input num' : 'input'}
          {...input}
          {...attributes}
          value={value}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

type SelectProps = Omit<FieldProps, 'children'> & {
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly options: readonly {
    readonly value: string;
    readonly text: string;
    readonly isDisabled?: boolean;
  }[];
  readonly isDisabled?: boolean;
};

/** A choice from a list. */
export function SelectField({ value, onValue, options, isDisabled = false, ...field }: SelectProps) {
  return (
    <Field {...field}>
      {(attributes) => (
        <select
          class="select"
          {...attributes}
          value={value}
          disabled={isDisabled}
          onChange={(event) => onValue(event.currentTarget.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value} disabled={option.isDisabled ?? false}>
              {option.text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
