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
  const set = (next: number) => onValue(Math.min(max, Math.max(min, next)));
  return (
    <Field {...field}>
      {(attributes) => (
        <div class="stepper">
          <Button
            icon="minus"
            label={fewer}
            isDisabled={isDisabled || value <= min}
            onClick={() => set(value - 1)}
          />
          <input
            class="input num"
            inputMode="numeric"
            {...attributes}
            value={String(value)}
            disabled={isDisabled}
            onChange={(event) => {
              const typed = Number.parseInt(event.currentTarget.value, 10);
              set(Number.isNaN(typed) ? value : typed);
              event.currentTarget.value = String(
                Math.min(max, Math.max(min, Number.isNaN(typed) ? value : typed)),
              );
            }}
          />
          <Button
            icon="plus"
            label={more}
            isDisabled={isDisabled || value >= max}
            onClick={() => set(value + 1)}
          />
        </div>
      )}
    </Field>
  );
}
