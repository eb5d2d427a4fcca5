import { Button } from './button.tsx';
import { Field, type FieldProps } from './field.tsx';

type Props = Omit<FieldProps, 'children'> & {
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly onValue: (value: number) => void;
  /** Names of the buttons. */
  readonly fewer: string;
  readonly more: string;
  readonly isDisabled?: boolean;
};

/** A small whole number with a button on each side. */
export function Stepper({ value, min, max, onValue, fewer, more, isDisabled = false, ...field }: Props) {
  const within = (next: number) => Math.min(max, Math.max(min, next));
  return (
    <Field {...field}>
      {(attributes) => (
        <div class="stepper">
          <Button
            icon="minus"
            label={fewer}
            isDisabled={isDisabled || value <= min}
            onClick={() => onValue(within(value - 1))}
          />
          <input
            class="input num"
            inputMode="numeric"
            {...attributes}
            value={String(value)}
            disabled={isDisabled}
            onChange={(event) => {
              const typed = Number.parseInt(event.currentTarget.value, 10);
              const next = within(Number.isNaN(typed) ? value : typed);
              onValue(next);
              event.currentTarget.value = String(next);
            }}
          />
          <Button
            icon="plus"
            label={more}
            isDisabled={isDisabled || value >= max}
            onClick={() => onValue(within(value + 1))}
          />
        </div>
      )}
    </Field>
  );
}
